"""A row's strip, and the shipped network that reads it whole."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import ModelError, Reader
from digitlens.core.readings import Digit, Number, number
from digitlens.models import cards
from digitlens.paper.ink import find_ink
from digitlens.paper.segment import segment
from digitlens.rows import decision, reading
from digitlens.rows.recognizer import (
    BLANK,
    CLASSES,
    HEIGHT,
    OTHER,
    WIDTHS,
    RowOutput,
    RowRecognizer,
    padded,
    to_strip,
)
from digitlens.rows.rescoring import RowReading
from tests.edge.pages import touch, write

Gray = npt.NDArray[np.uint8]
Digits = tuple[Gray, Gray]


@pytest.fixture(scope="module")
def strips() -> RowRecognizer:
    return RowRecognizer.load()


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


def test_the_shipped_network_is_small_and_true_to_its_card(strips: RowRecognizer) -> None:
    assert strips.card.kind == "strips"
    assert strips.card.quantization == "int8"
    assert strips.card.bytes <= 500_000


def test_probabilities_of_each_column(strips: RowRecognizer, digits: Digits) -> None:
    columns = strips.columns(padded(_strip(write("4071", digits))))
    assert columns.shape[1] == 13
    np.testing.assert_allclose(columns.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("text", "which"), [("4071", 7), ("58", 5), ("316924", 1)])
def test_it_reads_digits_that_touch(strips: RowRecognizer, digits: Digits, text: str, which: int) -> None:
    page = touch(text, digits, which, overlap=0)
    inked = np.flatnonzero((page < 150).any(axis=1))
    signs = strips.read(_strip(np.ascontiguousarray(page[inked[0] - 8 : inked[-1] + 9]))).signs
    assert "".join(str(sign.label) for sign in signs if sign.label < 10) == text
    assert [sign.column for sign in signs] == sorted(sign.column for sign in signs)
    assert all(0 < sign.confidence <= 1 for sign in signs)


def test_one_interpreter_for_each_width_is_kept(strips: RowRecognizer, digits: Digits) -> None:
    narrow, wide = (padded(_strip(write(text, digits))) for text in ("5", "31692440"))
    before = [strips.columns(strip) for strip in (narrow, wide, narrow)]
    networks = dict(strips._networks)
    after = [strips.columns(strip) for strip in (narrow, wide, narrow)]
    assert strips._networks == networks
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_does_not_read_strips(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not read strips"):
        RowRecognizer.load("digits")
    for suffix in (".tflite", ".json"):
        shutil.copy(cards.find("numbers").with_suffix(suffix), tmp_path / f"numbers{suffix}")
    broken = tmp_path / "numbers.tflite"
    broken.write_bytes(broken.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="sha256"):
        RowRecognizer.load(broken)


def test_a_row_is_parted_at_wide_gaps_and_its_slope_is_seen(digits: Digits) -> None:
    page = write("3141    59", digits)
    first, second = reading.find(segment(page).glyphs)
    assert (len(first.glyphs), len(second.glyphs)) == (4, 2)
    height, width = page.shape
    skew = np.array([[1, 0, 0], [0.1, 1, -0.05 * width]])
    climbing = cv2.warpAffine(page, skew, (width, height), borderMode=cv2.BORDER_REPLICATE)
    first, _ = reading.find(segment(np.asarray(climbing, np.uint8)).glyphs)
    assert first.slope == pytest.approx(0.1, abs=0.04)


def test_only_the_part_of_a_row_that_is_in_doubt_is_read(digits: Digits) -> None:
    widths: list[int] = []

    class Asked(RowRecognizer):
        def read(self, strip: Gray) -> RowOutput:
            widths.append(strip.shape[1])
            return super().read(strip)

    close = touch("4071", digits, 3)
    sure = write("3141", digits)
    page = np.full((300, close.shape[1] + sure.shape[1] + 60), 220, np.uint8)
    page[100 : 100 + len(sure), : sure.shape[1]] = sure
    page[100 : 100 + len(close), -close.shape[1] :] = close
    reader = Reader(recognizer=Asked.load())
    assert [found.text for found in reader.read(page).numbers] == ["3141", "4071"]
    (part,) = widths
    Reader(row_network="all", recognizer=reader._recognizer).read(close)
    assert part == pytest.approx(widths[-1], abs=6)


def test_a_picture_of_one_row_is_that_rows_as_far_as_there_is_ink(digits: Digits) -> None:
    page = write("3141    59", digits)
    found = segment(page)
    last = max(found.glyphs, key=lambda glyph: glyph.box[0])
    rest = [glyph for glyph in found.glyphs if glyph is not last]
    (row,) = reading.find(rest, found.mask)
    assert row.sides is not None
    assert row.sides[1] >= last.box[0] + last.box[2]
    assert row.box[0] + row.box[2] == row.sides[1]
    assert [other.sides for other in reading.find(found.glyphs, found.mask)] == [None, None]  # no news
    high = cv2.copyMakeBorder(found.mask, 400, 400, 0, 0, cv2.BORDER_CONSTANT, value=(0,))
    assert len(reading.find(rest, np.asarray(high, np.uint8))) == 2  # a page


def test_only_rows_in_doubt_are_asked_about(digits: Digits) -> None:
    class Asked(RowRecognizer):
        count = 0

        def read(self, strip: Gray) -> RowOutput:
            self.count += 1
            return super().read(strip)

    network = Asked.load()
    clean, close = write("4071", digits), touch("4071", digits, 5)
    below = np.full((clean.shape[0], max(clean.shape[1], close.shape[1])), 220, np.uint8)
    below[:, : clean.shape[1]] = clean
    doubt = below.copy()
    doubt[:, : close.shape[1]] = close
    for whole, page, asked in (
        ("doubtful", np.vstack([below, below]), 0),
        ("doubtful", np.vstack([doubt, below]), 1),
        ("doubtful", clean, 1),  # all that is in the picture
        ("all", np.vstack([below, below]), 2),
        ("none", close, 0),
    ):
        network.count = 0
        Reader(row_network=whole, recognizer=network).read(page)  # type: ignore[arg-type]
        assert network.count == asked, whole


def test_each_digit_of_a_row_has_its_own_box(digits: Digits) -> None:
    page = touch("204753", digits, 3, overlap=0)
    (number,) = Reader(row_network="all").read(page).numbers
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
    reader = Reader(row_network="all")
    assert (
        reader.read(page).numbers == reader.read(page).numbers == Reader(row_network="all").read(page).numbers
    )


def _number(text: str, confidence: float) -> Number:
    return number(tuple(Digit(int(sign), confidence, (20 * at, 0, 16, 24)) for at, sign in enumerate(text)))


def _heard(text: str, sure: float, instead: str = "") -> RowOutput:
    """A strip that says `text`, each digit with this probability, and as probably `instead` as it can."""
    columns = []
    for at, sign in enumerate(text):
        column = np.zeros(CLASSES, np.float32)
        column[int(instead[at]) if at < len(instead) else OTHER] = 1 - sure
        column[int(sign)] = sure
        columns += [column, np.eye(CLASSES, dtype=np.float32)[BLANK]]
    return RowOutput([], np.array(columns or [np.eye(CLASSES)[BLANK]], np.float32))


@pytest.mark.parametrize(
    ("cut", "whole", "chosen"),
    [
        (("1234", 0.9), ("1284", 0.9999), "1284"),
        (("1234", 0.9), ("1284", 0.9), "1234"),  # the strip thinks cutting possible
        (("1234", 0.05), ("1284", 0.98), "1284"),  # and cutting does not
        (("14", 0.99), ("15004", 0.9), "15004"),  # what cutting has left out
        (("7714", 0.6), ("714", 0.99), "714"),  # what it has cut once too often
        (("714", 0.6), ("7714", 0.99), "7714"),
        (("714", 0.99), ("7714", 0.6), "714"),
        (("7744", 0.9), ("7774", 0.9999), "7774"),  # it is no question of how many
        (("1", 0.8), ("7", 0.9999), "7"),
    ],
)
def test_the_likelier_reading_is_taken(cut: tuple[str, float], whole: tuple[str, float], chosen: str) -> None:
    read = RowReading([_number(*whole)], _heard(*whole, instead=cut[0]))
    assert [found.text for found in decision.choose([_number(*cut)], read, {})] == [chosen]


@pytest.mark.parametrize("text", ["11", "71"])
def test_there_are_no_two_digits_in_one_that_stands_upright(text: str) -> None:
    digits = [Digit(int(sign), 0.9999, (8 * at, 0, 8, 24)) for at, sign in enumerate(text)]
    narrow = RowReading([number(tuple(digits))], _heard(text, 0.9999))
    wide = RowReading([_number(text, 0.9999)], _heard(text, 0.9999))
    assert [found.text for found in decision.choose([_number("1", 0.8)], narrow, {})] == ["1"]
    assert [found.text for found in decision.choose([_number("1", 0.8)], wide, {})] == [text]


@pytest.mark.parametrize(("text", "sure", "chosen"), [("71", 0.02, "71"), ("7", 0.06, "714")])
def test_cutting_seldom_finds_more_than_one_digit_too_many(text: str, sure: float, chosen: str) -> None:
    cut = _number("714", 0.6)
    likely = np.full(10, 0.005, np.float32)  # the network of single digits thinks them none
    seen = {digit.box: likely for digit in cut.digits[len(text) :]}
    heard = [_heard(sign, 0.99 if at < len(text) else sure) for at, sign in enumerate("714")]
    read = RowReading([_number(text, 0.99)], RowOutput([], np.concatenate([part.columns for part in heard])))
    assert [found.text for found in decision.choose([cut], read, seen)] == [chosen]


@pytest.mark.parametrize(
    ("eight", "whole", "chosen"),
    [
        (0.3, "1284", "1284"),  # to the network of single digits, too, it may be an 8
        (0.001, "1284", "1234"),
        (0.001, "124", "124"),  # whether it is any digit the strip knows best
    ],
)
def test_what_both_networks_say_counts(eight: float, whole: str, chosen: str) -> None:
    cut = _number("1234", 0.6)
    likely = np.zeros(10, np.float32)
    likely[3], likely[8] = 1 - eight, eight
    seen = {cut.digits[2].box: likely}
    third = _heard("8", 0.995, "3") if whole == "1284" else _heard("3", 0.025)
    columns = [_heard("12", 0.99).columns, third.columns, _heard("4", 0.99).columns]
    read = RowReading([_number(whole, 0.99)], RowOutput([], np.concatenate(columns)))
    assert [found.text for found in decision.choose([cut], read, seen)] == [chosen]


def test_a_row_read_twice_and_alike_is_as_sure_as_the_surer_reading() -> None:
    once = [_number("714", 0.8), _number("25", 0.6)]
    both = decision.agreed(once, [_number("714", 0.95), _number("25", 0.5)])
    assert [[digit.confidence for digit in found.digits] for found in both] == [[0.95] * 3, [0.6] * 2]
    assert both[0].confidence == pytest.approx(0.95**3)
    assert [found.box for found in both] == [found.box for found in once]
    assert decision.agreed(once, [_number("714", 0.95), _number("26", 0.99)]) == once
    assert decision.agreed(once, [_number("71425", 0.95)]) == once


def test_what_cutting_does_not_find_must_be_beyond_doubt() -> None:
    def chosen(text: str, sure: float, alone: bool = False) -> list[str]:
        read = RowReading([_number(text, sure)], _heard(text, sure))
        return [found.text for found in decision.choose([], read, {}, alone)]

    assert chosen("714", 0.9) == []  # a word may look so
    assert chosen("71", 0.999) == []
    assert chosen("714", 0.999) == ["714"]
    assert chosen("71", 0.6, alone=True) == []
    assert chosen("71", 0.8, alone=True) == ["71"]


def test_evidence_is_of_both_networks() -> None:
    def evidence(confidence: float, sure: float) -> float:
        return decision.evidence([_number("35", confidence)], RowReading([], _heard("35", sure)))

    assert evidence(0.9, 0.99) > evidence(0.9, 0.9) > evidence(0.6, 0.9) > evidence(0.6, 0.2)
    assert evidence(0.6, 0.2) < 0 < decision.EVIDENCE / 2 < evidence(0.99, 0.999)
    assert np.isfinite([evidence(0.0, 1.0), evidence(1.0, 0.0)]).all()


def _scrawls(seed: int) -> Gray:
    """Fifteen scrawls of three strokes each: some look much like a 1, a 4 or a 7."""
    page = np.full((480, 640), 235, np.uint8)
    random = np.random.default_rng(seed)
    for at in range(15):
        corner = np.array([30 + 120 * (at % 5), 30 + 150 * (at // 5)])
        points = (corner + random.uniform(0, 80, (4, 2))).round().astype(np.int32)
        cv2.polylines(page, [points], False, (40,), 5, cv2.LINE_AA)
    return page


@pytest.mark.slow
def test_among_scrawls_a_number_needs_evidence(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    pages = [_scrawls(seed) for seed in range(20)]
    wary = sum(bool(reader.read(page).numbers) for page in pages)
    monkeypatch.setattr(reading, "MIXED", 2.0)  # never asked
    assert wary < sum(bool(reader.read(page).numbers) for page in pages)
    monkeypatch.undo()
    page = pages[1]  # a clean one
    assert not reader.read(page).numbers
    number = write("3519", digits)
    page[300 : 300 + number.shape[0], 40 : 40 + number.shape[1]] = number
    assert "3519" in [found.text for found in reader.read(page).numbers]


def test_a_tangle_is_no_sign(digits: Digits) -> None:
    """A large 8 is one, a pen that wanders over the whole sheet is not."""
    page = np.full((480, 640), 235, np.uint8)
    large = cv2.resize(write("8", digits), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    page[20 : 20 + min(460, large.shape[0]), 20 : 20 + min(600, large.shape[1])] = large[:460, :600]
    assert len(segment(page).glyphs) == 1
    tangled = np.full((480, 640), 235, np.uint8)
    points = np.random.default_rng(3).uniform(60, 420, (24, 2)).round().astype(np.int32)
    cv2.polylines(tangled, [points], False, (40,), 6, cv2.LINE_AA)
    assert segment(tangled).glyphs == []


def test_what_is_left_of_the_papers_lines_is_no_sign() -> None:
    """A broken upright line with a speck at its side, as high as the picture; with a pen it is a 1."""
    texts = []
    for pen in (2, 12):
        page = np.full((480, 640), 235, np.uint8)
        cv2.line(page, (330, 90), (310, 400), (40,), pen, cv2.LINE_AA)
        cv2.line(page, (330, 90), (270, 150), (40,), pen, cv2.LINE_AA)
        texts.append([found.text for found in Reader().read(page).numbers])
    assert texts == [[], ["1"]]
