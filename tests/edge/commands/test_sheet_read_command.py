"""digitlens sheet read: pages of several files, one line for each that cannot be read."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("zxingcpp", reason="needs the extra sheets")
pytest.importorskip("fpdf", reason="needs the extra sheets")

from digitlens.commands.main import main
from digitlens.core.arrays import Gray
from digitlens.sheets.template import load
from tests.edge.sheets import filled

FORM = """
title = "Two"
[[field]]
name = "one"
kind = "integer"
cells = 3
[[field]]
name = "two"
kind = "digits"
cells = 4
"""


@pytest.fixture
def form(tmp_path: Path) -> Path:
    path = tmp_path / "two.toml"
    path.write_text(FORM)
    return path


def test_pages_of_a_tiff_and_what_cannot_be_read(
    form: Path, tmp_path: Path, digits: tuple[Gray, Gray], capsys: pytest.CaptureFixture[str]
) -> None:
    hand = filled.clear_digits(digits)
    texts = ({"one": "47 ", "two": "0912"}, {"one": " 58", "two": "3306"})
    pages = [
        Image.fromarray(filled.tilted(filled.page(load(form), one, hand, serial)))
        for serial, one in enumerate(texts, 1)
    ]
    scan, bare = tmp_path / "scan.tif", tmp_path / "bare.png"
    pages[0].save(scan, save_all=True, append_images=[Image.new("L", (800, 1000), 230), pages[1]])
    Image.fromarray(np.full((700, 500), 240, np.uint8)).save(bare)
    table = tmp_path / "rows.csv"
    arguments = ["sheet", "read", str(form), str(scan), str(bare), str(tmp_path / "none.jpg"), "--json"]
    assert main([*arguments, "--csv", str(table)]) == 1
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [(one["source"], one["serial"]) for one in found] == [(f"{scan}#1", 1), (f"{scan}#3", 2)]
    assert {name: one["value"] for name, one in found[1]["fields"].items()} == {"one": 58, "two": "3306"}
    assert set(found[0]) == {"source", "page", "template", "serial", "alignment_mm", "fields"}
    assert set(found[0]["fields"]["one"]) == {"value", "raw", "confidence", "state", "reason", "box"}
    lines = [line for line in err.splitlines() if line.startswith("digitlens: ")]
    assert [line.split(": ")[1] for line in lines] == [f"{scan}#2", str(bare), str(tmp_path / "none.jpg")]
    assert table.read_text().splitlines()[1:] == [
        f"{scan}#1,1,{_state(found[0])},47,0912",
        f"{scan}#3,2,{_state(found[1])},58,3306",
    ]


def _state(page: dict[str, dict[str, dict[str, str]]]) -> str:
    states = {one["state"] for one in page["fields"].values()}
    return next((state for state in ("rule", "unreadable", "doubt") if state in states), "sure")


def test_a_template_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sheet", "read", str(tmp_path / "none.toml"), "a.jpg"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "none.toml" in err
