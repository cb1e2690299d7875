"""The regression figures: deploy/checks/readings/figures.py on a few pictures."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.edge.pages import Gray, write


def test_figures_of_the_working_tree(root: Path, tmp_path: Path, digits: tuple[Gray, Gray]) -> None:
    photos = tmp_path / "photos"
    papers = tmp_path / "data" / "validation" / "papers"
    for folder in (photos, papers):
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "a.png"), write("314", digits))
    (photos / "labels.json").write_text(json.dumps({"a.png": ["31", "5"]}))
    (papers / "labels.json").write_text(json.dumps({"a.png": {"numbers": ["314"], "kind": "list"}}))
    check = root / "deploy" / "checks" / "readings" / "figures.py"
    out = tmp_path / "figures.json"
    found = subprocess.run(
        [sys.executable, check, ".", "--shared", tmp_path, "--json", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "2 pictures of photos, papers\n" in found.stdout
    figures = {(one["set"], one["figure"]): one["value"] for one in json.loads(out.read_text())["."]}
    assert figures["photos", "exact"] == 0
    assert figures["photos", "digit error rate"] == pytest.approx(1 / 3)
    assert (figures["papers", "found"], figures["papers", "precision"]) == (1, 1)
    assert figures["papers", "empty"] == 0
