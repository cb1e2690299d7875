"""Forms of others: `sheet from` a scan, fields named, pages found again by their print, and read."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

pytest.importorskip("fpdf", reason="needs the extra sheets")

from digitlens.commands.main import main
from digitlens.core.arrays import Gray
from digitlens.core.errors import SheetError
from digitlens.sheets.fields import Field
from digitlens.sheets.reader import SheetReader
from digitlens.sheets.template import load
from tests.edge.sheets import filled

PER_MM = 8
LABELS = ("Customer number", "Boxes delivered", "Boxes returned")
TEXTS = ("104729", " 36815", "    42")


def blank(path: Path) -> None:
    """A delivery note of A5, with three combs of six cells and a free box."""
    matplotlib = pytest.importorskip("matplotlib", reason="its font prints the form")
    page = Image.new("L", (148 * PER_MM, 210 * PER_MM), 255)
    drawn = ImageDraw.Draw(page)

    def text(x: int, y: int, size: float, what: str) -> None:
        font = ImageFont.truetype(
            f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", int(size * PER_MM)
        )
        drawn.text((x * PER_MM, y * PER_MM), what, font=font, fill=0)

    def box(x: int, y: int, wide: int, tall: int) -> None:
        sides = [x * PER_MM, y * PER_MM, (x + wide) * PER_MM, (y + tall) * PER_MM]
        drawn.rectangle(sides, outline=90, width=2)

    text(12, 12, 7, "Delivery note")
    text(12, 24, 3, "Please write one digit in each box. Return to the office by Friday.")
    for place, label in enumerate(LABELS):
        text(12, 46 + 20 * place, 4, label)
        for cell in range(6):
            box(70 + 8 * cell, 44 + 20 * place, 8, 9)
    text(12, 106, 4, "Pallets")
    box(70, 104, 40, 12)
    for line in range(7):
        text(
            12,
            130 + 8 * line,
            3,
            f"{line + 1}. Terms of transport as printed overleaf, paragraph {17 * line + 3}.",
        )
    page.save(path, dpi=(PER_MM * 25.4, PER_MM * 25.4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("note")
    blank(folder / "note.png")
    assert main(["sheet", "from", str(folder / "note.png"), "--out", str(folder / "note.toml")]) == 0
    text = (folder / "note.toml").read_text()
    assert text.count("[[field]]") == 4
    for number, name in enumerate(("customer", "delivered", "returned", "pallets"), 1):
        text = text.replace(f'"field_{number}"', f'"{name}"')
    (folder / "note.toml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def photo(folder: Path, digits: tuple[Gray, Gray]) -> Gray:
    """A filled-in one, as a phone sees it."""
    reader, hand = load(folder / "note.toml"), filled.clear_digits(digits)
    note = cv2.imread(str(folder / "note.png"), cv2.IMREAD_GRAYSCALE)
    assert note is not None
    page: Gray = np.asarray(cv2.resize(note, (148 * 5, 210 * 5), interpolation=cv2.INTER_AREA), np.uint8)
    blocks = [block for block in reader.blocks if block.name != "pallets"]
    for block, text in zip(blocks, TEXTS, strict=True):
        assert isinstance(block, Field)
        assert block.at is not None
        for place, sign in enumerate(text):
            if sign != " ":
                x, y = block.at[0] + place * block.cell_mm[0], block.at[1]
                left, top, wide, tall = (round(side * 5) for side in (x, y, *block.cell_mm))
                filled._write(page, hand[sign], (left, top, wide, tall))
    for place, sign in enumerate("57"):
        filled._write(page, hand[sign], (70 * 5 + 40 + 40 * place, 104 * 5 + 8, 36, 44))
    return filled.tilted(page)


@pytest.mark.parametrize("turns", [0, 2])
def test_a_filled_in_form_is_found_by_its_print(folder: Path, photo: Gray, turns: int) -> None:
    page = SheetReader.load(load(folder / "note.toml")).read(np.ascontiguousarray(np.rot90(photo, turns)))
    values = {name: one.value for name, one in page.fields.items()}
    assert values == {"customer": 104729, "delivered": 36815, "returned": 42, "pallets": 57}
    assert (page.template, page.serial, page.page) == ("note", 0, 1)
    assert page.alignment_mm < 0.3


def test_another_page_is_refused(folder: Path, photo: Gray) -> None:
    reader = SheetReader.load(load(folder / "note.toml"))
    for other in (np.full((700, 500), 190, np.uint8), np.ascontiguousarray(photo[:, ::-1])):
        with pytest.raises(SheetError, match=r"no page of the form is found|mirrored"):
            reader.read(other)


def test_a_blank_that_is_no_picture_is_one_line(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    text = (folder / "note.toml").read_text().replace("note.png", "broken.png")
    (folder / "broken.toml").write_text(text)
    with pytest.raises(SheetError, match=r"broken\.png: ") as raised:
        SheetReader.load(load(folder / "broken.toml"))
    assert "\n" not in str(raised.value)
