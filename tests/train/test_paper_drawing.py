"""Hands, printers and lines on a canvas: what is drawn is of its class, and recorded."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from digitlens_train.data import DataError
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.hand import SOURCES, Hand, Source
from digitlens_train.paper.lines import Lines
from digitlens_train.paper.material import Material, Part
from digitlens_train.paper.printing import Printer


@pytest.fixture(scope="module")
def plain() -> Material:
    """Material without any data: drawn digits and printed fonts."""
    return Material.load(None)


def trajectories(path: Path, labels: list[object], shape: list[tuple[int, int]]) -> None:
    """UNIPEN's form: the same stroke for each label, by writers 1 and 10 in turn."""
    count = len(labels)
    np.savez(
        path,
        pts=np.array(shape * count, np.int16),
        stroke=np.arange(count + 1) * len(shape),
        char=np.arange(count + 1),
        y=np.array(labels),
        writer=np.array([1, 10, 20])[np.arange(count) % 3],
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    """A small data folder of all files."""
    folder = tmp_path_factory.mktemp("data")
    x, y = digits
    zigzag = [(0, 0), (500, 200), (100, 600), (500, 1000)]
    values = [k // 3 for k in range(30)]
    trajectories(folder / "unipen_digits.npz", [*values], zigzag)
    trajectories(folder / "unipen_upper.npz", ["A", "A", "A"], zigzag)
    trajectories(folder / "unipen_lower.npz", ["a", "a", "a", "o", "o", "o"], zigzag)
    trajectories(folder / "unipen_symbols.npz", ["+", "+", "+"], zigzag)
    trajectories(folder / "unipen_strings.npz", ["12", "34", "56"], [(0, 0), (1500, 1000)])
    trajectories(folder / "unipen_words.npz", ["to", "to", "to"], [(0, 0), (2000, 1000), (4000, 0)])
    np.savez(folder / "mnist.npz", x_train=x[:300], y_train=y[:300], x_test=x[300:400], y_test=y[300:400])
    np.savez(folder / "optdigits.npz", x=x[:200], y=y[:200])
    np.savez(folder / "semeion.npz", x=x[:200], y=y[:200])
    np.savez(folder / "omniglot.npz", x=x[:20])
    np.savez(folder / "hasy.npz", x=x[:20])
    first = [int(np.flatnonzero(y == value)[0]) for value in range(10)]
    fonts = {"x": np.concatenate([x[first]] * 2), "y": np.array([*"0123456789"] * 2)}
    np.savez(folder / "fonts_hand.npz", font=np.repeat(["one", "two"], 10), **fonts)
    return folder


@pytest.fixture(scope="module")
def material(data: Path) -> Material:
    """Material of all sources."""
    return Material.load(data)


def test_the_parts_share_no_writer_and_no_font(data: Path) -> None:
    parts: tuple[Part, ...] = ("learnt", "scores", "held_out")
    materials = [Material.load(data, part) for part in parts]
    for material, writer in zip(materials, (1, 10, 20), strict=True):
        for own in (material.digits, material.words):
            assert own is not None
            assert set(own.writers[own.chosen]) == {writer}
    assert [len(material.pictures[0].images) for material in materials] == [300, 50, 50]
    fonts = [{path for family in material.print_fonts for path in family} for material in materials]
    assert all(fonts)
    for one, other in combinations(fonts, 2):
        assert not one & other


def test_a_missing_file_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unipen_digits\.npz: no such file") as caught:
        Material.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", list(SOURCES))
@pytest.mark.parametrize("height", [9.0, 40.0, 250.0])
def test_each_source_writes_digits_of_the_height(material: Material, source: Source, height: float) -> None:
    random = np.random.default_rng(3)
    tall = []
    for _ in range(10):
        canvas = Canvas(400, 600)
        hand = Hand.draw(random, material, height, source=source)
        width = hand.digit(canvas, int(random.integers(10)), 150, 80)
        rows = np.flatnonzero((canvas.alpha[Kind.DIGIT] > 100).any(axis=1))
        columns = np.flatnonzero((canvas.alpha[Kind.DIGIT] > 100).any(axis=0))
        if len(rows):  # a hairline may be fainter
            tall.append(np.ptp(rows) + 1)
            assert columns[0] > 140
            assert columns[-1] < 160 + width + 0.15 * height
    assert len(tall) > 5
    assert np.median(tall) == pytest.approx(height, rel=0.1, abs=2.5)


def test_a_number_records_what_was_written(plain: Material) -> None:
    random = np.random.default_rng(5)
    for _ in range(20):
        canvas = Canvas(100, 500)
        width = Hand.draw(random, plain, 30).number(canvas, "12.50", 20, 30)
        (truth,) = canvas.numbers
        assert truth.text == "12.50"
        assert not truth.printed
        assert truth.box[0] == 20
        assert truth.box[2] == pytest.approx(width)
        assert canvas.alpha[Kind.DIGIT].any()
        assert canvas.alpha[Kind.WRITING].any()  # the point
        assert not canvas.alpha[Kind.PRINT].any()


def test_a_number_fits_its_room(plain: Material) -> None:
    random = np.random.default_rng(6)
    for room in (12.0, 60.0, 140.0):
        canvas = Canvas(100, 500)
        width = Hand.draw(random, plain, 40).number(canvas, "123456", 20, 30, max_width=room)
        assert width <= 1.001 * room
        assert "123456".startswith(canvas.numbers[0].text)


def test_struck_out_numbers_are_writing(plain: Material) -> None:
    canvas = Canvas(100, 300)
    hand = Hand.draw(np.random.default_rng(7), plain, 40)
    width = hand.number(canvas, "471", 20, 20, kind=Kind.WRITING)
    hand.strike(canvas, (20, 20, width, 40))
    assert not canvas.numbers
    assert canvas.alpha[Kind.WRITING].any()
    assert not canvas.alpha[Kind.DIGIT].any()


@pytest.mark.parametrize("bare", [True, False])
def test_other_writing_is_no_digit(plain: Material, material: Material, bare: bool) -> None:
    material = plain if bare else material
    random = np.random.default_rng(8)
    for _ in range(10):
        canvas = Canvas(200, 300)
        hand = Hand.draw(random, material, 30)
        hand.letter(canvas, 5, 5)
        hand.sign(canvas, None, 50, 5)
        assert hand.word(canvas, 5, 50, max_width=90) <= 90 + 2 * hand.pen
        hand.scribble(canvas, 5, 100, 40, 30)
        hand.tally(canvas, 60, 100, 30, 7)
        hand.drawing(canvas, 150, 100, 60)
        assert canvas.alpha[Kind.WRITING].any()
        assert not canvas.alpha[Kind.DIGIT].any()
        assert (canvas.tone <= canvas.alpha[Kind.WRITING]).all()


def test_print_is_recorded_as_printed(plain: Material) -> None:
    canvas = Canvas(60, 400)
    printer = Printer.draw(np.random.default_rng(9), plain)
    width = printer.text(canvas, 10, 20, 20, what="No. 12,5 of 7")
    assert [(number.text, number.printed) for number in canvas.numbers] == [("12,5", True), ("7", True)]
    columns = np.flatnonzero((canvas.alpha[Kind.PRINT] > 100).any(axis=0))
    assert columns[-1] == pytest.approx(10 + width, abs=6)
    assert Printer.draw(np.random.default_rng(9), plain).text(canvas, 10, 20, 20, max_width=50) <= 51


def test_lines_and_their_edges() -> None:
    random = np.random.default_rng(10)
    for _ in range(20):
        canvas = Canvas(120, 160)
        lines = Lines.draw(random, 3)
        lines.line(canvas, (-50, 20), (300, 25))
        lines.box(canvas, 20, 40, 100, 110)
        lines.ring(canvas, 130, 80, 20)
        assert canvas.alpha[Kind.LINE].any()
        assert not canvas.alpha[Kind.DIGIT].any()


def test_what_is_outside_is_clipped() -> None:
    canvas = Canvas(64, 64)
    canvas.polyline(Kind.DIGIT, np.array([[-40.0, -30.0], [-20.0, 400.0]]), 4, 1.0)
    canvas.paint(Kind.DIGIT, np.full((10, 10), 255, np.uint8), 200, -50, 1.0)
    assert not canvas.tone.any()
    canvas.paint(Kind.DIGIT, np.full((10, 10), 200, np.uint8), -5, -5, 0.5)
    assert canvas.alpha[Kind.DIGIT, 4, 4] == 200
    assert canvas.tone[4, 4] == 100
    canvas.fill(-10, 30, 20, 90, 0.5)
    assert canvas.tint is not None
    assert canvas.tint[40, 10] == 128
    assert canvas.tint[10, 10] == 255
