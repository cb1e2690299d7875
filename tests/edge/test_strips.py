"""A row's strip, and the shipped network that reads it whole."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import ModelError, Reader, cards, rows
from digitlens.ink import find_ink
from digitlens.readings import Digit, Number, number
from digitlens.segment import segment
from digitlens.strips import HEIGHT, WIDTHS, Heard, Strips, padded, to_strip
from tests.edge.pages import touch, write

Gray = npt.NDArray[np.uint8]
Digits = tuple[Gray, Gray]


@pytest.fixture(scope="module")
def strips() -> Strips:
    return Strips.load()


def _strip(page: Gray) -> Gray:
    """The whole picture as one strip."""
    height, width = page.shape
    return to_strip(find_ink(page).contrast, 0, height, 0, width)


def test_a_strip_has_the_rows_shape_and_full_black_ink(digits: Digits) -> None:
    page = write("4071", digits, ink=170)
    strip = _strip(page)
    assert strip.shape == (HEIGHT, round(page.shape[1] * HEIGHT / page.shape[0]))
    assert strip.max() == 255
    assert np.median(strip) < 20


def test_beyond_the_picture_is_paper() -> None:
    contrast = np.full((20, 40), 200, np.uint8)
    strip = to_strip(contrast, -20, 40, -30, 70)
    assert not strip[:8].any()
    assert not strip[-8:].any()
    assert not strip[:, :12].any()
    assert strip[HEIGHT // 2, strip.shape[1] // 2] == 255


def test_empty_paper_stays_pale() -> None:
    noise = np.random.default_rng(3).integers(0, 6, (40, 200), dtype=np.uint8)
    assert to_strip(noise, 0, 40, 0, 200).max() < 60


@pytest.mark.parametrize("width", [1, 63, 64, 65, 200, 384, 900])
def test_strips_have_few_widths(width: int) -> None:
    wide = padded(np.full((HEIGHT, width), 9, np.uint8))
    assert wide.shape == (HEIGHT, next((w for w in WIDTHS if w >= width), WIDTHS[-1]))
    assert np.all(wide[:, : min(width, WIDTHS[-1])] == 9)


def test_the_shipped_network_is_small_and_true_to_its_card(strips: Strips) -> None:
    assert strips.card.kind == "strips"
    assert strips.card.quantization == "int8"
    assert strips.card.bytes <= 500_000


def test_probabilities_of_each_column(strips: Strips, digits: Digits) -> None:
    columns = strips.columns(padded(_strip(write("4071", digits))))
    assert columns.shape[1] == 13
    np.testing.assert_allclose(columns.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("text", "which"), [("4071", 5), ("58", 5), ("316924", 1)])
def test_it_reads_digits_that_touch(strips: Strips, digits: Digits, text: str, which: int) -> None:
    page = touch(text, digits, which, overlap=0)
    inked = np.flatnonzero((page < 150).any(axis=1))
    signs = strips.read(_strip(np.ascontiguousarray(page[inked[0] - 8 : inked[-1] + 9]))).signs
    assert "".join(str(sign.label) for sign in signs if sign.label < 10) == text
    assert [sign.column for sign in signs] == sorted(sign.column for sign in signs)
    assert all(0 < sign.confidence <= 1 for sign in signs)


def test_one_interpreter_for_each_width_is_kept(strips: Strips, digits: Digits) -> None:
    narrow, wide = (padded(_strip(write(text, digits))) for text in ("5", "31692440"))
    before = [strips.columns(strip) for strip in (narrow, wide, narrow)]
    networks = dict(strips._networks)
    after = [strips.columns(strip) for strip in (narrow, wide, narrow)]
    assert strips._networks == networks
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_does_not_read_strips(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not read strips"):
        Strips.load("digits")
    for suffix in (".tflite", ".json"):
        shutil.copy(cards.find("numbers").with_suffix(suffix), tmp_path / f"numbers{suffix}")
    broken = tmp_path / "numbers.tflite"
    broken.write_bytes(broken.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="sha256"):
        Strips.load(broken)


def test_a_row_is_parted_at_wide_gaps_and_its_slope_is_seen(digits: Digits) -> None:
    page = write("3141    59", digits)
    first, second = rows.find(segment(page).glyphs)
    assert (len(first.glyphs), len(second.glyphs)) == (4, 2)
    height, width = page.shape
    skew = np.array([[1, 0, 0], [0.1, 1, -0.05 * width]])
    climbing = cv2.warpAffine(page, skew, (width, height), borderMode=cv2.BORDER_REPLICATE)
    first, _ = rows.find(segment(np.asarray(climbing, np.uint8)).glyphs)
    assert first.slope == pytest.approx(0.1, abs=0.04)


def test_only_rows_in_doubt_are_asked_about(digits: Digits) -> None:
    class Asked(Strips):
        count = 0

        def read(self, strip: Gray) -> Heard:
            self.count += 1
            return super().read(strip)

    network = Asked.load()
    clean, close = write("4071", digits), touch("4071", digits, 5)
    for whole, page, asked in (
        ("doubtful", clean, 0),
        ("doubtful", close, 1),
        ("all", clean, 1),
        ("none", close, 0),
    ):
        network.count = 0
        Reader(whole=whole, strips=network).read(page)  # type: ignore[arg-type]
        assert network.count == asked, whole


def test_each_digit_of_a_row_has_its_own_box(digits: Digits) -> None:
    page = touch("204753", digits, 5, overlap=0)
    (number,) = Reader(whole="all").read(page).numbers
    assert number.text == "204753"
    lefts = [digit.box[0] for digit in number.digits]
    assert lefts == sorted(lefts)
    for digit in number.digits:
        x, y, width, height = digit.box
        assert 0 <= x < x + width <= page.shape[1]
        assert 0 <= y < y + height <= page.shape[0]
        assert height > 40  # of 60 pixels


def test_reading_a_row_twice_says_the_same(digits: Digits) -> None:
    page = touch("90210", digits, 7)
    reader = Reader(whole="all")
    assert reader.read(page).numbers == reader.read(page).numbers == Reader(whole="all").read(page).numbers


def _number(text: str, confidence: float) -> Number:
    return number(tuple(Digit(int(sign), confidence, (20 * at, 0, 16, 24)) for at, sign in enumerate(text)))


@pytest.mark.parametrize(
    ("cut", "whole", "chosen"),
    [
        (("1234", 0.8), ("1284", 0.9), "1284"),
        (("1234", 0.9), ("1284", 0.8), "1234"),
        (("7714", 0.6), ("714", 0.99), "7714"),  # columns run equal neighbors together
        (("714", 0.6), ("7714", 0.99), "7714"),
        (("714", 0.99), ("7714", 0.6), "714"),
        (("1", 0.8), ("11", 0.99), "1"),  # as narrow as it is
        (("1", 0.8), ("71", 0.99), "1"),
        (("1", 0.8), ("7", 0.99), "7"),
    ],
)
def test_the_surer_reading_is_taken(cut: tuple[str, float], whole: tuple[str, float], chosen: str) -> None:
    assert [found.text for found in rows.choose([_number(*cut)], [_number(*whole)])] == [chosen]


def test_a_row_without_a_number_needs_a_sure_one() -> None:
    assert rows.choose([], [_number("714", 0.8)]) == []
    assert rows.choose([], [_number("71", 0.95)]) == []
    assert [found.text for found in rows.choose([], [_number("714", 0.95)])] == ["714"]
    assert [found.text for found in rows.choose([], [_number("71", 0.95)], alone=True)] == ["71"]
