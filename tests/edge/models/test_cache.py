"""Unchanged glyphs and rows are not read again, and readings stay the same to the bit."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from digitlens.models.cache import TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.reader import Reader
from digitlens.rows.recognizer import RowRecognizer
from tests.edge.pages import write

Gray = npt.NDArray[np.uint8]


class CountingRecognizer(RowRecognizer):
    """The shipped row network; counts the crops that it runs on."""

    runs = 0

    def network_columns(self, crop: Gray) -> npt.NDArray[np.float32]:
        self.runs += 1
        return super().network_columns(crop)


class Counted:
    """A reader with the shipped networks, which counts what they run on."""

    def __init__(self) -> None:
        self.glyphs = 0
        shipped = Classifier.load()

        def count_glyphs(batch: Gray) -> npt.NDArray[np.float32]:
            self.glyphs += len(batch)
            return shipped.probabilities(batch)

        self._recognizer = CountingRecognizer.load()
        classifier = Classifier(shipped.card, count_glyphs)
        self.reader = Reader(classifier, row_network="all", recognizer=self._recognizer)

    def during(self, work: Callable[[], object]) -> tuple[int, int]:
        """Glyphs and rows that the networks ran on meanwhile."""
        before = self.glyphs, self._recognizer.runs
        work()
        return self.glyphs - before[0], self._recognizer.runs - before[1]


def test_only_what_changed_is_read(digits: tuple[Gray, Gray]) -> None:
    counted = Counted()
    reader = counted.reader
    upper, lower, other = (write(text, digits) for text in ("27301", "84592", "84692"))
    # Far apart: what the ink network takes ink for depends on what stands around it.
    blank = np.full((400, upper.shape[1]), 220, np.uint8)
    page, changed, half = (np.vstack([upper, blank, one]) for one in (lower, other, np.full_like(lower, 220)))
    first = reader.read(page)
    assert [number.text for number in first.numbers] == ["27301", "84592"]
    assert counted.during(lambda: reader.read(page)) == (0, 0)
    # One digit and its row have changed; its parts are read, too, if it is doubtful.
    glyphs, rows = counted.during(lambda: reader.read(changed))
    assert 1 <= glyphs < 10
    assert rows == 1
    assert reader.read(changed).numbers == Reader(row_network="all").read(changed).numbers
    # The cache drops what the picture between did not ask for.
    reader.read(half)
    reader.read(half)
    glyphs, rows = counted.during(lambda: reader.read(page))
    assert 5 <= glyphs < 10
    assert rows >= 1  # the upper row's crop may differ where the lower row is missing
    assert reader.read(page).numbers == first.numbers


def test_a_glyph_is_the_same_in_every_batch(digits: tuple[Gray, Gray]) -> None:
    model, crops = Classifier.load(), digits[0][:40]
    expected = model.probabilities(crops)
    for count in (1, 2, 3, 7, 31, 33):
        np.testing.assert_array_equal(model.probabilities(crops[:count]), expected[:count])


def test_memory_is_bounded() -> None:
    limit = 20
    cache: TwoFrameCache[int, int] = TwoFrameCache(limit)
    for start in range(0, 5 * limit, limit):
        keys = list(range(start, start + 2 * limit))

        def negated(places: Sequence[int], keys: list[int] = keys) -> list[int]:
            return [-keys[place] for place in places]

        assert cache.all(keys, negated) == [-key for key in keys]
        assert len(cache) <= 2 * limit
        cache.next_frame()


def test_the_same_key_twice() -> None:
    cache: TwoFrameCache[str, int] = TwoFrameCache()
    assert cache.all(["a", "b", "a"], lambda places: [10 + place for place in places])[:2] == [10, 11]
    assert cache.all(["b", "c"], lambda places: [20 + place for place in places]) == [11, 21]
