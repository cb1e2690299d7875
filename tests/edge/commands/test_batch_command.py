"""digitlens batch, as a user starts it."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens.commands.main import main
from digitlens.core.arrays import Gray
from tests.edge.batch.archive import table

Run = subprocess.CompletedProcess[str]


def batch(*arguments: str | Path) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "digitlens", "batch", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_becomes_tables_and_a_report(tmp_path: Path, good: Path) -> None:
    (tmp_path / "scans").mkdir()
    good.rename(tmp_path / "scans" / "good.png")
    (tmp_path / "scans" / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    run = batch(tmp_path / "scans", "--out", out, "--workers", "1", "--format", "csv")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("2 pages, 1 numbers, 1 failed")
    assert [row["text"] for row in table(out, "numbers", "csv")] == [None, "40716"]
    assert "40716" in (out / "report.html").read_text()
    other = batch(tmp_path / "scans", "--out", out, "--format", "csv", "--separator", ",")
    assert other.returncode == 1
    assert other.stderr.startswith(f"digitlens: {out}: was read otherwise (separator none, now ,): ")
    assert len(other.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to read: name a SOURCE"),
        (["--sample", "3"], "no run is here: begin one with digitlens batch SOURCE --out"),
        (["a.png", "--score"], "leave the sources out"),
        (["no-folder", "--follow", "--format", "csv"], "not a folder; --follow watches folders"),
        (["a.png", "--format", "csv", "--model", "nobody"], "nobody: no such model; take one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["batch", *arguments, "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_sigterm_writes_what_is_read_and_the_same_command_goes_on(tmp_path: Path, good: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    for count in range(40):
        os.link(good, scans / f"{count:02}.png")
    arguments = ["-m", "digitlens", "batch", str(scans), "--out", str(tmp_path / "out")]
    options = ["--workers", "1", "--format", "jsonl", "--commit", "0.01"]
    with subprocess.Popen(
        [sys.executable, *arguments, *options], stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not list(tmp_path.glob("out/pages/part-*")):
            pass
        process.terminate()
        said = process.communicate()[1]
    assert process.returncode in (130, 0), said
    assert "Traceback" not in said
    last = batch(scans, "--out", tmp_path / "out", *options)
    assert last.returncode == 0, last.stderr
    pages = table(tmp_path / "out", "pages")
    assert [Path(str(row["id"])).name for row in pages] == [f"{count:02}.png" for count in range(40)]


def test_sheets_become_a_row_a_field(root: Path, tmp_path: Path, digits: tuple[Gray, Gray]) -> None:
    pytest.importorskip("zxingcpp", reason="needs the extra sheets")
    from digitlens.sheets.template import load
    from tests.edge.sheets import filled

    form = root / "examples" / "sheets" / "exam_marks.toml"
    texts = {"paper": "x  ", "questions.1.points": " 7", "questions.2.points": "12", "total": " 19"}
    page = filled.page(load(form), texts, filled.clear_digits(digits), serial=5)
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans" / "1.png"), filled.tilted(page))
    cv2.imwrite(str(tmp_path / "scans" / "2.png"), np.full((600, 800), 200, np.uint8))
    out = tmp_path / "out"
    run = batch(tmp_path / "scans", "--out", out, "--workers", "1", "--format", "csv", "--sheet", form)
    assert run.returncode == 1, run.stderr  # the second is no sheet
    rows = {row["field"]: row for row in table(out, "numbers", "csv")}
    assert (rows["#serial"]["text"], rows["total"]["text"], rows["total"]["state"]) == ("5", "19", "sure")
    assert (rows["questions.2.points"]["value"], rows["paper"]["text"]) == (12.0, "A")
    assert rows["mark"]["state"] == "empty"
    other = batch(tmp_path / "scans", "--out", out, "--format", "csv")
    assert "was read otherwise" in other.stderr
