"""The JSON of numbers, and their boxes at other sizes."""

import json

import msgspec

from digitlens.core.readings import Digit, Number, Reading, number, resized

FOUND = number((Digit(4, 0.9, (10, 20, 30, 50)), Digit(2, 0.8, (50, 22, 30, 48))))


def test_only_a_printed_number_says_so() -> None:
    plain = msgspec.json.encode(FOUND)
    assert list(msgspec.json.decode(plain)) == ["text", "confidence", "box", "digits"]
    printed = msgspec.structs.replace(FOUND, printed=True)
    marked = msgspec.json.encode(printed)
    assert msgspec.json.decode(marked) == msgspec.json.decode(plain) | {"printed": True}
    assert msgspec.json.decode(plain, type=Number) == FOUND
    assert msgspec.json.decode(marked, type=Number) == printed


def test_the_mark_stays_at_another_size() -> None:
    reading = Reading("", 0.0, (100, 100), (msgspec.structs.replace(FOUND, printed=True),), {})
    (again,) = resized(reading, (200, 100)).numbers
    assert (again.printed, again.box) == (True, (20, 20, 140, 50))


def test_a_reading_as_a_dict_is_its_json() -> None:
    reading = Reading("scan.tif", 0.5, (100, 90), (FOUND,), {"total": 1.0}, 3)
    as_dict = reading.to_dict()
    assert list(as_dict) == ["source", "page", "time", "size", "numbers", "milliseconds"]
    assert json.loads(json.dumps(as_dict)) == as_dict
    assert as_dict["numbers"][0]["text"] == FOUND.text
    assert (as_dict["page"], as_dict["size"]) == (3, [100, 90])
    assert Reading("", 0.0, (1, 1), (), {}).to_dict()["page"] == 1
