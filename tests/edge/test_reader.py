"""From a picture to its numbers, with the shipped model and real digits."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitlens import Reader, draw
from digitlens.core.trace import Trace
from digitlens.glyphs.orientation import turned, turned_back
from tests.edge.ink import TRACED, YOUNG
from tests.edge.pages import ink_box, put, write

TEXTS = ["0123456789", "27", "5", "90210", "314 159"]
Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def _texts(reader: Reader, page: npt.NDArray[Any]) -> list[str]:
    return [number.text for number in reader.read(page).numbers]


@pytest.mark.parametrize("text", TEXTS)
def test_reads_a_strip(reader: Reader, digits: Digits, text: str) -> None:
    assert _texts(reader, write(text, digits)) == text.split()


def test_reads_the_example_sheet(reader: Reader, root) -> None:
    sheet = cv2.imread(str(root / "examples" / "sheet.jpg"))
    rows = ["20260717", "314", "159", "265", "1000", "42", "86", "9087", "7653", "55", "0", "19"]
    assert _texts(reader, sheet) == rows


@pytest.mark.parametrize("size", [24, 40, 120, 300])
def test_digits_of_many_sizes(reader: Reader, digits: Digits, size: int) -> None:
    assert _texts(reader, write("4071", digits, size=size, step=round(size * 1.2))) == ["4071"]


def test_chalk_on_a_blackboard(reader: Reader, digits: Digits) -> None:
    assert _texts(reader, write("4071", digits, ink=230, paper=30)) == ["4071"]


@pytest.mark.parametrize("ink", [60, 170, 195])
def test_pencil_and_pen(reader: Reader, digits: Digits, ink: int) -> None:
    assert _texts(reader, write("4071", digits, ink=ink)) == ["4071"]


def test_the_threshold_follows_the_light(reader: Reader, digits: Digits) -> None:
    """From full light on the left to a tenth on the right: the notebook's fixed 90 sees nothing but shade."""
    page = write("40716", digits).astype(np.float32)
    light = np.linspace(1, 0.1, page.shape[1], dtype=np.float32)
    noise = np.random.default_rng(1).normal(0, 1, page.shape)
    assert _texts(reader, (page * light + noise).clip(0, 255).astype(np.uint8)) == ["40716"]


@YOUNG
def test_a_hard_shadow(reader: Reader, digits: Digits) -> None:
    """Its edge runs through the number."""
    page = write("40716", digits).astype(np.float32)
    page[:, 190:] *= 0.35
    assert _texts(reader, cv2.GaussianBlur(page, (0, 0), 1).astype(np.uint8)) == ["40716"]


def test_a_dark_panel_on_light_paper(reader: Reader, digits: Digits) -> None:
    page = np.full((480, 640), 225, np.uint8)
    put(page, "3519", digits, 200, 60)
    panel = np.full((160, 400), 225, np.uint8)
    put(panel, "4071", digits, 70, 50)
    page[240:400, 120:520] = 255 - panel
    assert _texts(reader, page) == ["3519", "4071"]


@pytest.mark.parametrize("turns", [0, *(pytest.param(k, marks=TRACED) for k in (1, 2, 3))])
def test_a_turned_page_is_read_as_it_stands(reader: Reader, root: Path, turns: int) -> None:
    """Boxes are the turned picture's own."""
    sheet = np.asarray(cv2.imread(str(root / "examples" / "sheet.jpg"), cv2.IMREAD_GRAYSCALE), np.uint8)
    height, width = sheet.shape
    upright, found = reader.read(sheet), reader.read(turned(sheet, turns))
    assert found.size == ((width, height) if turns % 2 == 0 else (height, width))
    assert [number.text for number in found.numbers] == [number.text for number in upright.numbers]
    for number, other in zip(found.numbers, upright.numbers, strict=True):
        # Read by the network's front, where the upright page may be read by that of rules.
        assert turned_back(number.box, turns, (width, height)) == pytest.approx(other.box, abs=4)


def test_the_turn_can_be_said(reader: Reader, digits: Digits) -> None:
    page = write("40716", digits)
    for turn in (0, 90, 180, 270):
        given = Reader(reader.classifier, turn=turn)
        assert _texts(given, turned(page, (4 - turn // 90) % 4)) == ["40716"]
    assert _texts(Reader(reader.classifier, turn=0), turned(page, 2)) != ["40716"]
    with pytest.raises(ValueError, match="turn"):
        Reader(reader.classifier, turn=45)


def test_a_watched_reader_reads_alike(reader: Reader, digits: Digits) -> None:
    page = turned(write("40716", digits), 1)
    traces: list[Trace] = []
    given = Reader(reader.classifier, turn=270)
    assert given.watched(traces.append).read(page).numbers == given.read(page).numbers
    assert traces[0].gray.shape == page.shape[::-1]


def test_small_and_large_writing_on_large_pictures(reader: Reader, digits: Digits) -> None:
    """A 12-megapixel photo: at the size that the reader reduces it to, the small digits are 9 pixels high."""
    page = np.full((3000, 4000), 225, np.uint8)
    put(page, "40716", digits, 500, 700, size=28)
    put(page, "27", digits, 2500, 1800, size=28)
    assert _texts(reader, page) == ["40716", "27"]
    page = np.full((3000, 4000), 225, np.uint8)
    put(page, "407", digits, 300, 600, size=900)
    assert _texts(reader, page) == ["407"]


@YOUNG
def test_a_comb_on_a_large_page(reader: Reader, digits: Digits) -> None:
    """Eight joined boxes are one number; their uprights are no ones."""
    page = np.full((900, 1280), 225, np.uint8)
    cv2.rectangle(page, (400, 300), (880, 364), (90,), 2)
    for place, sign in enumerate("05221859"):
        cv2.line(page, (400 + 60 * place, 300), (400 + 60 * place, 364), (90,), 2)
        put(page, sign, digits, 416 + 60 * place, 311, size=40)
    assert _texts(reader, page) == ["05221859"]


@YOUNG
def test_a_table_with_wide_margins(reader: Reader, digits: Digits) -> None:
    page = np.full((1100, 1280), 225, np.uint8)
    for x in range(400, 900, 120):
        cv2.line(page, (x, 350), (x, 710), (110,), 2)
    for y in range(350, 720, 90):
        cv2.line(page, (400, y), (880, y), (110,), 2)
    texts = ["12", "7", "40", "3", "5", "66", "81", "9", "23", "0", "4", "57"]
    for k, text in enumerate(texts):
        put(page, text, digits, 420 + 120 * (k % 4), 375 + 90 * (k // 4), size=40)
    assert _texts(reader, page) == texts


def test_printed_words_are_not_read(reader: Reader, digits: Digits) -> None:
    image = Image.new("L", (640, 300), 225)
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((40, 60), "Solid oil is so big", fill=50, font=font)
    page = np.array(image)
    put(page, "4071", digits, 200, 170)
    assert _texts(reader, page) == ["4071"]


@YOUNG
def test_printed_digits_are_read_on_demand(reader: Reader, digits: Digits) -> None:
    image = Image.new("L", (640, 300), 225)
    ImageDraw.Draw(image).text((200, 50), "2938", fill=50, font=ImageFont.load_default(50))
    page = np.array(image)
    put(page, "4071", digits, 200, 170)
    assert _texts(reader, page) == ["4071"]
    found = Reader(reader.classifier, printed=True).read(page).numbers
    assert [(number.text, number.printed) for number in found] == [("2938", True), ("4071", False)]


def test_specks_are_not_digits(reader: Reader, digits: Digits) -> None:
    page = write("4071", digits)
    for x, y in np.random.default_rng(2).integers(0, 100, (40, 2)):
        cv2.circle(page, (int(x) * 3, int(y)), 1, (60,), -1)
    assert _texts(reader, page) == ["4071"]


def test_ruled_and_squared_paper(reader: Reader, digits: Digits) -> None:
    page = np.full((400, 700), 220, np.uint8)
    page[140:260, 40:660] = write("40716258", digits)[:, :620]
    for y in range(30, 400, 55):
        cv2.line(page, (0, y), (700, y + 9), (150,), 2)
    for x in range(30, 700, 91):
        cv2.line(page, (x, 0), (x + 4, 400), (150,), 2)
    assert "".join(_texts(reader, page)).startswith("40716258")


def test_a_table_splits_numbers(reader: Reader, digits: Digits) -> None:
    """The digits of one row are evenly spaced, two in each cell."""
    page = np.full((420, 760), 220, np.uint8)
    page[150:270, 20:740] = np.pad(write("407162", digits), ((0, 0), (0, 240)), constant_values=220)[:, :720]
    for y in range(20, 420, 125):
        cv2.line(page, (0, y), (760, y + 3), (140,), 2)
    for x in range(33, 760, 140):
        cv2.line(page, (x, 0), (x + 3, 420), (140,), 2)
    assert _texts(reader, page) == ["40", "71", "62"]


def test_a_decimal_point(reader: Reader, digits: Digits) -> None:
    page = write("40716", digits)
    left, right = sorted(digit.box for number in reader.read(page).numbers for digit in number.digits)[2:4]
    middle, feet = (left[0] + left[2] + right[0]) // 2, left[1] + left[3]
    cv2.circle(page, (middle, feet - 3), 4, (40,), -1)
    assert _texts(reader, page) == ["40716"]
    (number,) = Reader(reader.classifier, separator=",").read(page).numbers
    assert (number.text, len(number.digits)) == ("407,16", 5)


def test_the_edge_of_the_sheet_is_no_digit(reader: Reader, digits: Digits) -> None:
    """A dark, torn place of the border is as straight as a 1."""
    page = np.full((500, 700), 60, np.uint8)
    sheet = page[:, 150:]
    sheet[:] = 215
    sheet[200:320, 60:400] = np.minimum(sheet[200:320, 60:400], write("4071", digits, paper=215))
    page[230:300, 150:157] = 5
    assert _texts(reader, cv2.GaussianBlur(page, (0, 0), 1).astype(np.uint8)) == ["4071"]


def _star(page: npt.NDArray[np.uint8], x: float, y: float, radius: float) -> None:
    """Drawn in one stroke: no digit to any network."""
    turns = np.arange(6) * 2 * 2 * np.pi / 5
    star = np.stack([x + radius * np.sin(turns), y - radius * np.cos(turns)], axis=1)
    cv2.polylines(page, [star.round().astype(np.int32)], False, (40,), 3)


def test_a_sign_among_digits_is_left_out(reader: Reader, digits: Digits) -> None:
    """A star between two numbers of one row."""
    page = write("40  71", digits)
    _star(page, 218, 62, 30)
    assert _texts(reader, page) == ["40", "71"]


@pytest.mark.parametrize(("gap", "read"), [(4, ["71"]), (230, ["71", "22"])])
def test_a_subscript_is_its_letters(reader: Reader, digits: Digits, gap: int, read: list[str]) -> None:
    """A small digit close behind a large sign is no number; further off, with another, it is."""
    page = np.full((420, 520), 220, np.uint8)
    page[20:140, 20:220] = write("71", digits)
    _star(page, 120, 280, 60)
    small = write("2", digits, size=45)
    x, y, width, height = ink_box(small)
    for left in (176 + gap, 176 + gap + 50)[: len(read)]:
        page[310 : 310 + height, left : left + width] = small[y : y + height, x : x + width]
    assert _texts(reader, page) == read


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (7, 7), (8, 8), (30, 2), (500, 9), (64, 64)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_empty_pages_of_every_shape(reader: Reader, shape: tuple[int, int], level: int) -> None:
    assert _texts(reader, np.full(shape, level, np.uint8)) == []


def test_gravel_does_not_stop_the_reader(reader: Reader) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (900, 1200), dtype=np.uint8)
    coarse = np.asarray(cv2.resize(noise[::16, ::16], (1200, 900), interpolation=cv2.INTER_CUBIC), np.uint8)
    for page in (noise, coarse):
        assert reader.read(page).size == (1200, 900)


def test_color_and_gray_read_the_same(reader: Reader, digits: Digits) -> None:
    page = write("90210", digits)
    assert _texts(reader, cv2.cvtColor(page, cv2.COLOR_GRAY2BGR)) == _texts(reader, page)


def test_boxes_lie_on_the_digits(reader: Reader, digits: Digits) -> None:
    """In the picture's own pixels, also where the reader works on a smaller one; none runs off the edge."""
    page = write("4071", digits, size=600, step=800)
    (number,) = reader.read(page).numbers
    height, width = page.shape
    assert width > 1280
    for digit in number.digits:
        x, y, w, h = digit.box
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        assert np.mean(page[y : y + h, x : x + w] < 128) > 0.1
        outside = page.copy()
        for other in number.digits:
            a, b, c, d = other.box
            outside[max(0, b - 3) : b + d + 3, max(0, a - 3) : a + c + 3] = 220
    assert outside.min() > 100


def test_a_digit_at_the_edge(reader: Reader, digits: Digits) -> None:
    page = write("4071", digits)
    ink = np.argwhere(page < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    assert len(reader.read(page[top : bottom + 1, left : right + 1]).numbers) <= 1


def test_the_overlay_marks_every_digit(reader: Reader, digits: Digits) -> None:
    page = write("4071", digits)
    reading = reader.read(page)
    drawn = draw(page, reading)
    assert drawn.shape == (*page.shape, 3)
    changed = np.any(drawn != page[..., np.newaxis], axis=2)
    for digit in reading.numbers[0].digits:
        x, y, w, h = digit.box
        assert changed[max(0, y - 4) : y + h + 4, max(0, x - 4) : x + w + 4].any()
    assert not changed[-3:, -3:].any()


def test_shared_photos(reader: Reader, shared) -> None:
    photos = shared("photos")
    assert _texts(reader, cv2.imread(str(photos / "bikz05_1.jpg"))) == ["05221859"]
    rows = ["12345", "6879", "88888", "66666", "77777"]
    assert _texts(reader, cv2.imread(str(photos / "bikz05_2.jpg"))) == rows
