"""RowReader: the rows that the row network reads again, their numbers and their traces."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from digitlens.config.parameters.rows import DecisionParameters
from digitlens.config.settings import RowNetworkUse
from digitlens.core.arrays import Gray
from digitlens.rows.recognizer import RowOutput, RowRecognizer
from tests.edge.ink import YOUNG, find_glyphs
from tests.edge.pages import touch, write
from tests.edge.rows.row_pages import Digits, PageReader


class Recorded(RowRecognizer):
    """The shipped network, and the widths of the crops that it read."""

    def read(self, crop: Gray) -> RowOutput:
        self.widths.append(crop.shape[1])
        return super().read(crop)

    @property
    def widths(self) -> list[int]:
        found: list[int] = self.__dict__.setdefault("_widths", [])
        return found


def test_only_the_doubtful_part_of_a_row_is_read(digits: Digits) -> None:
    close = touch("4071", digits, 3)
    sure = write("3141", digits)
    page = np.full((300, close.shape[1] + sure.shape[1] + 60), 220, np.uint8)
    page[100 : 100 + len(sure), : sure.shape[1]] = sure
    page[100 : 100 + len(close), -close.shape[1] :] = close
    recognizer = Recorded.load()
    reader = PageReader(recognizer)
    assert reader.texts(page) == ["3141", "4071"]
    (part,) = recognizer.widths
    reader.read(close, "all")
    assert part == pytest.approx(recognizer.widths[-1], abs=6)


def test_the_use_says_which_rows_are_read(digits: Digits) -> None:
    recognizer = Recorded.load()
    reader = PageReader(recognizer)
    clean, close = write("4071", digits), touch("4071", digits, 5)
    below = np.full((clean.shape[0], max(clean.shape[1], close.shape[1])), 220, np.uint8)
    below[:, : clean.shape[1]] = clean
    doubt = below.copy()
    doubt[:, : close.shape[1]] = close
    cases: list[tuple[RowNetworkUse, Gray, int]] = [
        ("doubtful", np.vstack([below, below]), 0),
        ("doubtful", np.vstack([doubt, below]), 1),
        ("doubtful", clean, 1),  # the picture's only row
        ("all", np.vstack([below, below]), 2),
        ("none", close, 0),
    ]
    for use, page, count in cases:
        recognizer.widths.clear()
        _, traces = reader.read(page, use)
        assert len(recognizer.widths) == len(traces) == count, use


def test_each_digit_of_a_row_has_its_own_box(digits: Digits) -> None:
    page = touch("204753", digits, 3, overlap=0)
    (number,), _ = PageReader().read(page, "all")
    assert number.text == "204753"
    lefts = [digit.box[0] for digit in number.digits]
    assert lefts == sorted(lefts)
    for digit in number.digits:
        x, y, width, height = digit.box
        assert 0 <= x < x + width <= page.shape[1]
        assert 0 <= y < y + height <= page.shape[0]
        assert height > 40  # of 60 pixels


def test_reading_a_row_again_gives_the_same(digits: Digits) -> None:
    page = touch("90210", digits, 7)
    reader = PageReader()
    first = reader.read(page, "all")[0]
    assert first == reader.read(page, "all")[0] == PageReader().read(page, "all")[0]


def test_rows_in_doubt_are_rescored_near_and_far(digits: Digits) -> None:
    reader = PageReader()
    close = touch("316924", digits, 3, overlap=0)
    far = cv2.copyMakeBorder(close, 200, 200, 0, 0, cv2.BORDER_CONSTANT, value=(220,))
    (near_trace,), (far_trace,) = (reader.read(np.asarray(page, np.uint8), "all")[1] for page in (close, far))
    assert near_trace.reason.startswith("row network: probability ")
    assert far_trace.reason.startswith("row network: probability ")
    assert near_trace.chosen == far_trace.chosen == "316924" != near_trace.lattice


def test_the_trace_of_a_rescored_row(digits: Digits) -> None:
    numbers, (trace,) = PageReader().read(touch("316924", digits, 3, overlap=0))
    assert "".join(number.text for number in numbers) == trace.chosen == trace.row_network == "316924"
    assert trace.crop.shape[0] == 32
    assert trace.columns.shape == (trace.columns.shape[0], 13)
    scores = [hypothesis.score for hypothesis in trace.hypotheses if hypothesis.score is not None]
    assert len(scores) == len(trace.hypotheses)
    assert scores == sorted(scores, reverse=True)
    assert [hypothesis.text for hypothesis in trace.hypotheses if hypothesis.chosen] == ["316924"]


def test_without_rescoring_the_trace_has_the_n_best(digits: Digits) -> None:
    clean = write("4071", digits)
    _, (trace, _) = PageReader().read(np.vstack([clean, clean]), "all")
    assert (trace.lattice, trace.row_network, trace.chosen) == ("4071", "4071", "4071")
    assert trace.reason == "the same reading"
    first = trace.hypotheses[0]
    assert (first.text, first.source, first.chosen) == ("4071", "row network", True)
    assert first.score is not None
    assert -0.5 < first.score <= 0
    assert all(hypothesis.source == "n-best" for hypothesis in trace.hypotheses[1:])
    assert trace.hypotheses is trace.hypotheses


@pytest.mark.slow
def test_among_scrawls_a_number_needs_evidence(digits: Digits) -> None:
    pages = [_scrawls(seed) for seed in range(20)]
    reader = PageReader()
    careless = PageReader(decision=replace(DecisionParameters(), mixed_page=2.0))  # asks for none
    found = sum(bool(reader.texts(page)) for page in pages)
    assert found < sum(bool(careless.texts(page)) for page in pages)
    reasons = [trace.reason for page in pages for trace in reader.read(page)[1] if trace.chosen == ""]
    assert any(reason.startswith("dropped: evidence ") for reason in reasons)
    page = next(page for page in pages if not reader.texts(page))
    number = write("3519", digits)
    page[300 : 300 + number.shape[0], 40 : 40 + number.shape[1]] = number
    assert "3519" in reader.texts(page)


def _scrawls(seed: int) -> Gray:
    """Fifteen scrawls of three strokes each: some look much like a 1, a 4 or a 7."""
    page = np.full((480, 640), 235, np.uint8)
    random = np.random.default_rng(seed)
    for at in range(15):
        corner = np.array([30 + 120 * (at % 5), 30 + 150 * (at // 5)])
        points = (corner + random.uniform(0, 80, (4, 2))).round().astype(np.int32)
        cv2.polylines(page, [points], False, (40,), 5, cv2.LINE_AA)
    return page


@YOUNG
def test_a_tangle_is_no_number(digits: Digits) -> None:
    """A large 8 is one, a pen that wanders over the whole sheet is not."""
    page = np.full((480, 640), 235, np.uint8)
    large = cv2.resize(write("8", digits), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    page[20 : 20 + min(460, large.shape[0]), 20 : 20 + min(600, large.shape[1])] = large[:460, :600]
    assert len(find_glyphs(page)) == 1
    assert PageReader().texts(page) == ["8"]
    tangled = np.full((480, 640), 235, np.uint8)
    points = np.random.default_rng(3).uniform(60, 420, (24, 2)).round().astype(np.int32)
    cv2.polylines(tangled, [points], False, (40,), 6, cv2.LINE_AA)
    assert PageReader().texts(tangled) == []
