"""The JSON of a tracked number, as the page and /api/reading have it."""

import msgspec

from digitlens.core.readings import Digit, number
from digitlens.core.tracking import Tracked
from digitlens.outlets.web.frames import number_json


def test_only_a_printed_number_says_so() -> None:
    found = number((Digit(4, 0.91234, (10, 20, 30, 50)),))
    plain = number_json(Tracked(3, found, True, 12))
    assert list(plain) == ["text", "confidence", "box", "digits", "id", "steady", "age"]
    marked = number_json(Tracked(3, msgspec.structs.replace(found, printed=True), True, 12))
    assert marked == plain | {"printed": True}
