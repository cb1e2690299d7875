"""Printed forms, rendered: what stands on the paper, and where."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.commands.main import main
from digitlens.core.arrays import Gray
from digitlens.sheets.code import Code, parse
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import FIDUCIAL
from digitlens.sheets.printing import write_pictures
from digitlens.sheets.template import load

pytest.importorskip("fpdf", reason="needs the extra sheets")
pytest.importorskip("pypdfium2", reason="needs the extra sheets")
zxingcpp = pytest.importorskip("zxingcpp", reason="needs the extra sheets")

DPI = 150
NAMES = ("exam_marks", "inventory_count", "score_card")


def printed(root: Path, name: str, folder: Path, *more: str) -> Path:
    template = root / "examples" / "sheets" / f"{name}.toml"
    pdf = folder / f"{name}.pdf"
    fields = folder / f"{name}.json"
    assert main(["sheet", "print", str(template), "--out", str(pdf), "--fields", str(fields), *more]) == 0
    return pdf


def gray(path: Path) -> Gray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


def at(page: Gray, x: float, y: float) -> int:
    """The page's brightness at a point in millimeters."""
    return int(page[round(y / 25.4 * DPI - 0.5), round(x / 25.4 * DPI - 0.5)])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_stands_where_the_layout_says(root: Path, tmp_path: Path, name: str) -> None:
    pdf = printed(root, name, tmp_path)
    (picture,) = write_pictures(pdf, DPI)
    page = gray(picture)
    template = load(root / "examples" / "sheets" / f"{name}.toml")
    layout = lay_out(template)
    assert page.shape == pytest.approx((297 / 25.4 * DPI, 210 / 25.4 * DPI), abs=1)
    for fiducial in layout.fiducials:
        module = FIDUCIAL / 5
        profile = [
            at(page, fiducial.x + step * module, fiducial.y) < 128 for step in (-3, -2, -1, 0, 1, 2, 3)
        ]
        assert profile == [False, True, False, not fiducial.is_open, False, True, False]
    for placed in layout.fields.values():
        for x, y, width, height in placed.cells:
            assert at(page, x + width / 2, y + height / 2) == 255
            edge = [at(page, x + shift, y + height * 0.25) for shift in (-0.05, 0, 0.05)]
            assert 140 < min(edge) < 245  # pale, and there
    fields = json.loads((tmp_path / f"{name}.json").read_text())
    assert (fields["paper_mm"], fields["pages"]) == ([210.0, 297.0], 1)
    assert [one["name"] for one in fields["fields"]] == list(template.fields)
    for one in fields["fields"]:
        placed = layout.fields[one["name"]]
        assert tuple(one["box_mm"]) == placed.box
        assert one["cells"] == (None if one["kind"] == "tick" else placed.field.cells)


def test_each_copy_has_its_serial_number_in_its_code(root: Path, tmp_path: Path) -> None:
    pdf = printed(root, "exam_marks", tmp_path, "--copies", "2", "--first", "41")
    template = load(root / "examples" / "sheets" / "exam_marks.toml")
    for count, picture in enumerate(write_pictures(pdf, DPI), 1):
        (found,) = zxingcpp.read_barcodes(gray(picture))
        assert parse(found.text) == Code("exam-marks", template.version, 1, 40 + count)
        x, y, _, height = (value / 25.4 * DPI for value in lay_out(template).code)
        assert found.position.top_left.x == pytest.approx(x, abs=5)
        assert found.position.bottom_right.y == pytest.approx(y + height, abs=5)


def test_letter_paper_and_turned_paper(tmp_path: Path) -> None:
    text = 'title = "F"\npaper = "Letter"\nlandscape = true\n[[field]]\nname = "a"\nkind = "tick"\n'
    (tmp_path / "f.toml").write_text(text)
    assert main(["sheet", "print", str(tmp_path / "f.toml"), "--out", str(tmp_path / "f.pdf"), "--png"]) == 0
    with Image.open(tmp_path / "f-1.png") as picture:
        assert (picture.width / 300, picture.height / 300) == pytest.approx((11, 8.5), abs=0.01)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--out", "{folder}/no/f.pdf"), "{folder}/no/f.pdf: no such file or folder"),
        (
            ("--out", "{folder}/f.pdf", "--copies", "20000"),
            "--copies 20000: print at most 10000 at once, and go on with --first",
        ),
        (
            ("--out", "{folder}/f.pdf", "--copies", "9", "--first", "99999"),
            "serial numbers would go up to 100007; the code holds 99999 at most",
        ),
    ],
)
def test_what_cannot_be_printed_is_one_line(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], line: str
) -> None:
    template = str(root / "examples" / "sheets" / "score_card.toml")
    assert main(["sheet", "print", template, *(one.format(folder=tmp_path) for one in options)]) == 1
    assert capsys.readouterr().err == f"digitlens: {line.format(folder=tmp_path)}\n"


def test_check_says_what_is_wrong_and_goes_on(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('title = "F"\n[[field]]\nname = "a"\nkind = "integer"\n')
    good = root / "examples" / "sheets" / "exam_marks.toml"
    assert main(["sheet", "check", str(wrong), str(good)]) == 1
    found = capsys.readouterr()
    assert found.err == (
        f"digitlens: {wrong}:2: [field.1] cells: is missing; it must be the number of cells, 1 to 20\n"
    )
    assert found.out.startswith(f"{good}: exam-marks ")
    assert main(["sheet", "check", str(good)]) == 0


@pytest.mark.parametrize(
    "text", ["", "DL1:exam", "DL2:EXAM:ABCDEF:1:0", "https://example.org", "DL1:EXAM:XYZXYZ:1:0"]
)
def test_other_codes_are_not_ours(text: str) -> None:
    assert parse(text) is None


def test_the_longest_code_has_as_many_modules_as_any() -> None:
    longest = Code("abcdefghij-klmnopq", "ABCDEF", 20, 99999)
    assert longest.modules.shape == Code("a", "ABCDEF", 1, 0).modules.shape == (25, 25)
    assert parse(longest.text) == longest
