"""A page of a form in a picture: found however it is turned, its values read, or one clear line."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("zxingcpp", reason="needs the extra sheets")
pytest.importorskip("fpdf", reason="needs the extra sheets")

from digitlens.config.parameters.sheets import DEFAULT
from digitlens.core.arrays import Gray
from digitlens.core.errors import SheetError
from digitlens.sheets.fields import Template
from digitlens.sheets.reader import SheetReader, cells_of
from digitlens.sheets.template import load
from tests.edge.sheets import filled

FORM = """
title = "Counts"
paper = "A4"
[[field]]
name = "number"
kind = "digits"
cells = 6
[[field]]
name = "one"
kind = "integer"
cells = 3
[[field]]
name = "two"
kind = "integer"
cells = 3
[[field]]
name = "sum"
kind = "integer"
cells = 4
[[field]]
name = "price"
kind = "decimal"
cells = 4
decimals = 2
[[field]]
name = "done"
kind = "tick"
[[field]]
name = "grade"
kind = "choice"
choices = ["A", "B", "C"]
[rules]
sum = "one + two"
"""
TEXTS = {
    "number": "004719", "one": " 52", "two": "318", "sum": " 370", "price": "1250", "done": "x",
    "grade": " x ",
}  # fmt: skip
VALUES = {
    "number": "004719", "one": 52, "two": 318, "sum": 370, "price": 12.5, "done": True, "grade": "B",
}  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    path = tmp_path_factory.mktemp("form") / "counts.toml"
    path.write_text(FORM)
    return load(path)


@pytest.fixture(scope="module")
def reader(template: Template) -> SheetReader:
    return SheetReader.load(template)


@pytest.fixture(scope="module")
def hand(digits: tuple[Gray, Gray]) -> dict[str, Gray]:
    return filled.clear_digits(digits)


@pytest.fixture(scope="module")
def flat(template: Template, hand: dict[str, Gray]) -> Gray:
    return filled.page(template, TEXTS, hand, serial=12)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_is_read_whichever_way_it_lies(reader: SheetReader, flat: Gray, turns: int) -> None:
    found = reader.read(np.ascontiguousarray(np.rot90(filled.tilted(flat), turns)), "a.jpg")
    assert (found.source, found.page, found.template, found.serial) == ("a.jpg", 1, "counts", 12)
    assert {name: one.value for name, one in found.fields.items()} == VALUES
    assert found.alignment_mm < 0.2


def test_boxes_are_in_pixels_of_the_file(reader: SheetReader, flat: Gray) -> None:
    picture = filled.tilted(flat)
    found = reader.read(picture, size=(2 * picture.shape[1], 2 * picture.shape[0]))
    x, y, wide, tall = found.fields["grade"].box
    part = picture[y // 2 : (y + tall) // 2, x // 2 : (x + wide) // 2]
    thirds = np.array_split(part, 3, axis=1)
    assert np.argmin([third.mean() for third in thirds]) == 1


def test_bent_paper_is_followed(template: Template, reader: SheetReader, flat: Gray) -> None:
    height, width = flat.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = np.sin(x / width * np.pi * 1.6 + 0.4) * np.float32(4.0 * filled.PER_MM)
    bent = np.asarray(cv2.remap(flat, x, y + wave, cv2.INTER_LINEAR, borderValue=(255,)), np.uint8)
    picture = filled.tilted(bent)
    aligned = cells_of(picture, reader.form, DEFAULT).aligned
    boxes = np.array([cell for placed in reader.form.layout.on_page(1) for cell in placed.cells])
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    assert np.abs(aligned.displacement.at(middles)).max() > 1.0
    assert {name: one.value for name, one in reader.read(picture).fields.items()} == VALUES


def test_a_mirrored_page_is_refused(reader: SheetReader, flat: Gray) -> None:
    with pytest.raises(SheetError, match="mirrored"):
        reader.read(np.ascontiguousarray(filled.tilted(flat)[:, ::-1]))


def test_a_page_that_is_cut_off_is_one_line(reader: SheetReader, flat: Gray) -> None:
    with pytest.raises(SheetError, match="cut off"):
        reader.read(np.ascontiguousarray(filled.tilted(flat)[:800]))


def test_a_blurred_page_is_one_line(reader: SheetReader, flat: Gray) -> None:
    soft = np.asarray(cv2.GaussianBlur(filled.tilted(flat), (0, 0), 14), np.uint8)
    with pytest.raises(SheetError) as caught:
        reader.read(soft)
    assert "\n" not in str(caught.value)


def test_paper_without_a_code_is_one_line(reader: SheetReader) -> None:
    with pytest.raises(SheetError, match="no page with a code"):
        reader.read(np.full((900, 700), 220, np.uint8))


def test_a_page_of_another_form_is_refused(
    reader: SheetReader, hand: dict[str, Gray], tmp_path: Path
) -> None:
    path = tmp_path / "other.toml"
    path.write_text(FORM)
    other = load(path)
    with pytest.raises(SheetError, match="page of other, and the template is counts"):
        reader.read(filled.tilted(filled.page(other, TEXTS, hand)))


def test_another_version_is_refused(reader: SheetReader, hand: dict[str, Gray], tmp_path: Path) -> None:
    path = tmp_path / "counts.toml"
    path.write_text(FORM.replace('name = "one"', 'name = "one"\nlabel = "First"'))
    with pytest.raises(SheetError, match="another version of counts"):
        reader.read(filled.tilted(filled.page(load(path), TEXTS, hand)))


def test_an_empty_form_is_empty(reader: SheetReader, template: Template, hand: dict[str, Gray]) -> None:
    found = reader.read(filled.tilted(filled.page(template, {}, hand)))
    states = {name: one.state for name, one in found.fields.items()}
    assert states.pop("done") == "sure"
    assert set(states.values()) == {"empty"}


def test_a_struck_digit_is_no_digit(reader: SheetReader, template: Template, hand: dict[str, Gray]) -> None:
    found = reader.read(filled.tilted(filled.page(template, TEXTS | {"price": "12#0", "one": " #2"}, hand)))
    for name in ("price", "one"):
        assert found.fields[name].state != "sure", name


def test_of_two_marks_none_is_taken_for_sure(
    reader: SheetReader, template: Template, hand: dict[str, Gray]
) -> None:
    found = reader.read(filled.tilted(filled.page(template, TEXTS | {"grade": "xx "}, hand)))
    assert found.fields["grade"].state != "sure"


def test_ink_that_is_no_digit_is_not_empty(template: Template, reader: SheetReader, flat: Gray) -> None:
    blotted = flat.copy()
    x, y, wide, tall = (round(side * filled.PER_MM) for side in reader.form.layout.fields["two"].box)
    rng = np.random.default_rng(3)
    points = rng.integers((x, y), (x + wide, y + tall), (40, 2)).astype(np.int32)
    cv2.polylines(blotted, [points], False, (30,), 2, cv2.LINE_AA)
    assert reader.read(filled.tilted(blotted)).fields["two"].state in ("unreadable", "doubt", "rule")
