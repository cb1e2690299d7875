"""Templates of forms that exist already: a PDF's form fields, or the boxes on a page."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from digitlens.commands.main import main
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import MmBox
from digitlens.sheets.template import load

pypdf = pytest.importorskip("pypdf", reason="needs the extra sheets")
from pypdf.generic import (  # noqa: E402  # once it is known to be there
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

MM = 72 / 25.4


def widget(name: str, box: MmBox, kind: str, height: float, **more: object) -> DictionaryObject:
    x, y, wide, tall = box
    corners = (x, height - y - tall, x + wide, height - y)
    found = DictionaryObject({
        NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Widget"),
        NameObject("/FT"): NameObject(kind), NameObject("/T"): TextStringObject(name),
        NameObject("/Rect"): ArrayObject([FloatObject(side * MM) for side in corners]),
    })  # fmt: skip
    for key, value in more.items():
        found[NameObject(f"/{key}")] = (
            NumberObject(value) if isinstance(value, int) else TextStringObject(value)
        )
    return found


def pdf_form(path: Path, rotation: int = 0, pages: int = 1, password: str = "") -> Path:
    """A PDF of 200 x 100 mm with a comb, a box and a check box, written by pypdf."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        page = writer.add_blank_page(200 * MM, 100 * MM)
        page[NameObject("/Annots")] = ArrayObject([
            widget("member.id", (20, 30, 60, 8), "/Tx", 100, MaxLen=10, Ff=1 << 24, TU="Member's number"),
            widget("amount", (100, 30, 40, 8), "/Tx", 100), widget("paid", (20, 50, 5, 5), "/Btn", 100),
            widget("send", (20, 70, 30, 8), "/Btn", 100, Ff=1 << 16),
        ])  # fmt: skip
        page.rotate(rotation)
    if password:
        writer.encrypt(password)
    writer.write(path)
    return path


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["sheet", "from", *map(str, arguments)]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line.strip()


def test_the_fields_of_a_pdf_form_become_a_template(tmp_path: Path) -> None:
    out = tmp_path / "form.toml"
    assert main(["sheet", "from", str(pdf_form(tmp_path / "form.pdf")), "--out", str(out)]) == 0
    template = load(out)
    fields = template.fields
    assert template.blank == str(tmp_path / "form.pdf")
    assert [(one.name, one.kind, one.cells, one.is_comb) for one in fields.values()] == [
        ("member_id", "digits", 10, True), ("amount", "integer", 7, False), ("paid", "tick", 1, True),
    ]  # fmt: skip
    assert fields["member_id"].label == "Member's number"
    layout = lay_out(template)
    assert (layout.paper_mm, layout.pages, layout.fiducials) == ((200, 100), 1, ())
    assert layout.fields["member_id"].box == pytest.approx((20, 30, 60, 8), abs=0.05)
    assert layout.fields["amount"].box == pytest.approx((100, 30, 40, 8), abs=0.05)
    assert layout.fields["paid"].box == pytest.approx((20, 50, 5, 5), abs=0.05)


@pytest.mark.parametrize(
    ("rotation", "paper", "box"),
    [
        (90, (100, 200), (62, 20, 8, 60)), (180, (200, 100), (120, 62, 60, 8)),
        (270, (100, 200), (30, 120, 8, 60)),
    ],
)  # fmt: skip
def test_a_turned_page_is_taken_as_it_is_shown(
    tmp_path: Path, rotation: int, paper: tuple[int, int], box: MmBox
) -> None:
    from digitlens.sheets.acroform import PdfForm

    form = PdfForm(pdf_form(tmp_path / "form.pdf", rotation))
    assert form.sizes[0] == pytest.approx(paper)
    assert form.fields[0].box == pytest.approx(box)


def scan(path: Path) -> list[MmBox]:
    """A scan of a table with labels, a comb and a square, 200 dots an inch; its empty boxes."""
    per_mm = 200 / 25.4
    page = np.full((round(297 * per_mm), round(210 * per_mm)), 245, np.uint8)
    empty: list[MmBox] = []

    def draw(x: float, y: float, wide: float, tall: float, text: str = "") -> None:
        corners = [(round(a * per_mm), round(b * per_mm)) for a, b in ((x, y), (x + wide, y + tall))]
        cv2.rectangle(page, corners[0], corners[1], (90,), 2)
        if text:
            place = (round((x + 3) * per_mm), round((y + tall - 3) * per_mm))
            cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20,), 2)
        else:
            empty.append((x, y, wide, tall))

    for row in range(4):
        draw(20, 40 + 10 * row, 50, 10, f"label {row}")
        draw(70, 40 + 10 * row, 40, 10)
    for cell in range(6):
        draw(20 + 6 * cell, 150, 6, 8)
    draw(100, 150, 5, 5)
    noise = np.random.default_rng(1).normal(0, 4, page.shape)
    Image.fromarray(np.clip(page + noise, 0, 255).astype(np.uint8)).save(path, dpi=(200, 200))
    return empty


def test_the_empty_boxes_of_a_scan_become_a_template(tmp_path: Path) -> None:
    empty = scan(tmp_path / "scan.png")
    assert main(["sheet", "from", str(tmp_path / "scan.png"), "--out", str(tmp_path / "form.toml")]) == 0
    template = load(tmp_path / "form.toml")
    fields = list(lay_out(template).fields.values())
    assert lay_out(template).paper_mm == pytest.approx((210, 297), abs=0.2)
    assert [(one.field.kind, one.field.cells) for one in fields] == [
        *[("integer", 6)] * 4, ("integer", 6), ("tick", 1),
    ]  # fmt: skip
    for placed, box in zip(fields[:4], empty[:4], strict=True):
        assert placed.box == pytest.approx(box, abs=0.6)
    assert fields[4].box == pytest.approx((20, 150, 36, 8), abs=0.6)
    assert fields[4].field.is_comb
    assert not fields[0].field.is_comb


def test_what_gives_no_template_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "form.toml"
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing")
    assert "cannot be read as a PDF" in refused(capsys, broken, "--out", out)
    assert "no such file" in refused(capsys, tmp_path / "missing.pdf", "--out", out)
    assert "no such file" in refused(capsys, tmp_path / "missing.png", "--out", out)
    locked = pdf_form(tmp_path / "locked.pdf", password="secret")  # noqa: S106  # opens nothing
    assert refused(capsys, locked, "--out", out) == f"digitlens: {locked}: has a password; save it without"
    long = pdf_form(tmp_path / "long.pdf", pages=21)
    assert refused(capsys, long, "--out", out).endswith("has 21 pages, and a form has at most 20")
    Image.new("L", (800, 1000), 255).save(tmp_path / "white.png")
    assert "no empty boxes are found" in refused(capsys, tmp_path / "white.png", "--out", out)
    out.write_text("mine")
    assert "exists already" in refused(capsys, pdf_form(tmp_path / "form.pdf"), "--out", out)
    assert out.read_text() == "mine"


def test_a_form_that_exists_is_not_printed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pdf = pdf_form(tmp_path / "form.pdf")
    assert main(["sheet", "from", str(pdf), "--out", str(tmp_path / "form.toml")]) == 0
    capsys.readouterr()
    assert main(["sheet", "print", str(tmp_path / "form.toml"), "--out", str(tmp_path / "again.pdf")]) == 1
    assert capsys.readouterr().err == f"digitlens: form exists already: print {pdf}\n"


def framed(path: Path, divided: int) -> Path:
    """The form of pdf_form, its comb framed, and so many of the nine lines between its cells drawn."""
    fpdf = pytest.importorskip("fpdf", reason="needs the extra sheets")
    drawn = fpdf.FPDF(unit="mm", format=(200, 100))
    drawn.set_auto_page_break(False)
    drawn.add_page()
    drawn.rect(20, 30, 60, 8)
    for cell in range(1, divided + 1):
        drawn.line(20 + 6 * cell, 30, 20 + 6 * cell, 38)
    drawn.output(path.with_name("frame.pdf"))
    writer = pypdf.PdfWriter(clone_from=pdf_form(path))
    writer.pages[0].merge_page(pypdf.PdfReader(path.with_name("frame.pdf")).pages[0])
    writer.write(path)
    return path


@pytest.mark.parametrize("divided", [0, 9])
def test_a_comb_whose_cells_are_not_drawn_is_written_in_freely(tmp_path: Path, divided: int) -> None:
    out = tmp_path / "form.toml"
    assert main(["sheet", "from", str(framed(tmp_path / "form.pdf", divided)), "--out", str(out)]) == 0
    field = load(out).fields["member_id"]
    assert (field.kind, field.cells, field.is_comb) == ("digits", 10, divided > 0)
