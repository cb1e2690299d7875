"""What has not changed is not read again, and what is told stays the same to the bit."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from digitlens.models.cache import MOST, TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.reader import Reader
from digitlens.rows.recognizer import RowRecognizer
from tests.edge.pages import write

Gray = npt.NDArray[np.uint8]


class Asked:
    """Counts what the networks are given; they are the shipped ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.glyphs = self.strips = 0
        probabilities, columns = Classifier.probabilities, RowRecognizer.columns

        def count_glyphs(model: Classifier, batch: Gray) -> npt.NDArray[np.float32]:
            self.glyphs += len(batch)
            return probabilities(model, batch)

        def count_strips(model: RowRecognizer, strip: Gray) -> npt.NDArray[np.float32]:
            self.strips += 1
            return columns(model, strip)

        monkeypatch.setattr(Classifier, "probabilities", count_glyphs)
        monkeypatch.setattr(RowRecognizer, "columns", count_strips)

    def by(self, work: Callable[[], object]) -> tuple[int, int]:
        """Glyphs and strips that were asked for meanwhile."""
        before = self.glyphs, self.strips
        work()
        return self.glyphs - before[0], self.strips - before[1]


def test_only_what_changed_is_read(monkeypatch: pytest.MonkeyPatch, digits: tuple[Gray, Gray]) -> None:
    reader, asked = Reader(whole="all"), Asked(monkeypatch)
    upper, lower, other = (write(text, digits) for text in ("27301", "84592", "84692"))
    page, changed = np.vstack([upper, lower]), np.vstack([upper, other])
    first = reader.read(page)
    assert [number.text for number in first.numbers] == ["27301", "84592"]
    assert asked.by(lambda: reader.read(page)) == (0, 0)
    # One digit and its row are other ones; asked again of the glyph's parts, if it is in doubt.
    glyphs, strips = asked.by(lambda: reader.read(changed))
    assert 1 <= glyphs < 10
    assert strips == 1
    assert reader.read(changed).numbers == Reader(whole="all").read(changed).numbers
    # A picture between forgets.
    reader.read(upper)
    reader.read(upper)
    glyphs, strips = asked.by(lambda: reader.read(page))
    assert 5 <= glyphs < 10
    assert strips == 1
    assert reader.read(page).numbers == first.numbers


def test_a_glyph_is_the_same_in_every_batch(digits: tuple[Gray, Gray]) -> None:
    model, crops = Classifier.load(), digits[0][:40]
    whole = model.probabilities(crops)
    for count in (1, 2, 3, 7, 31, 33):
        np.testing.assert_array_equal(model.probabilities(crops[:count]), whole[:count])


def test_memory_is_bounded() -> None:
    recent: TwoFrameCache[int, int] = TwoFrameCache()
    for start in range(0, 5 * MOST, MOST):
        keys = list(range(start, start + 2 * MOST))

        def negated(places: Sequence[int], keys: list[int] = keys) -> list[int]:
            return [-keys[place] for place in places]

        assert recent.all(keys, negated) == [-key for key in keys]
        assert len(recent._now) + len(recent._before) <= 2 * MOST
        recent.turn()


def test_the_same_key_twice() -> None:
    recent: TwoFrameCache[str, int] = TwoFrameCache()
    assert recent.all(["a", "b", "a"], lambda places: [10 + place for place in places])[:2] == [10, 11]
    assert recent.all(["b", "c"], lambda places: [20 + place for place in places]) == [11, 21]
