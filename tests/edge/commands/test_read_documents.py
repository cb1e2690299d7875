"""digitlens read: every page of a document, archives, stdin, CSV, crops; names of files that never meet."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.edge.commands.reading import read, texts
from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


@pytest.fixture
def scan(tmp_path: Path, digits: Digits) -> Path:
    """A TIFF of three pages, the second of which is broken."""
    images = [Image.fromarray(write(text, digits)) for text in ("314", "27", "90")]
    path = tmp_path / "scan.tif"
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    with Image.open(path) as image:
        image.seek(1)
        start = image.tag_v2[273][0]  # type: ignore[attr-defined]
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)
    return path


def test_every_page_is_read_and_a_broken_one_named(scan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = read("--json", scan, "--overlay", out, "--stages", out)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"digitlens: {scan}: page 2: ")
    assert texts(run) == [["314"], ["90"]]
    assert [json.loads(line)["page"] for line in run.stdout.splitlines()] == [1, 3]
    names = ["scan.tif_page0001", "scan.tif_page0001.png", "scan.tif_page0003", "scan.tif_page0003.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    table = read(scan).stdout.splitlines()
    assert [line for line in table if not line.startswith(" ")] == [f"{scan}, page 1", f"{scan}, page 3"]


def test_csv_has_a_row_a_number(scan: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.full((40, 60), 220, np.uint8))
    first, second, last = csv.DictReader(io.StringIO(read("--csv", scan, empty).stdout))
    assert [first[name] for name in ("source", "page", "text", "printed")] == [str(scan), "1", "314", "0"]
    assert 0.5 < float(first["confidence"]) <= 1
    assert all(int(first[name]) > 0 for name in ("x", "y", "width", "height"))
    assert (second["page"], second["text"]) == ("3", "90")
    assert (last["source"], last["text"], last["confidence"]) == (str(empty), "", "")


def test_archives_folders_and_stdin(good: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner" / "deep"
    inner.mkdir(parents=True)
    with zipfile.ZipFile(inner / "scans.zip", "w") as archive:
        archive.write(good, "a/good.png")
        archive.writestr("b/more.zip", b"")
    out = tmp_path / "out"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "digitlens",
        "read",
        "--json",
        inner.parent,
        "-",
        "--crops",
        out,
    ]
    with good.open("rb") as stdin:
        run = subprocess.run(command, stdin=stdin, capture_output=True, text=True)
    source = f"{inner}/scans.zip"
    nested = f"{source}/b/more.zip: an archive within an archive: unpack the outer one"
    assert run.stderr == f"digitlens: {nested}\n"
    assert texts(run) == [["40716"], ["40716"]]
    assert [json.loads(line)["source"] for line in run.stdout.splitlines()] == [f"{source}/a/good.png", "-"]
    crops = sorted(out.iterdir())
    assert [path.name for path in crops] == ["good.png_001_40716.png", "stdin_001_40716.png"]
    assert np.ptp(cv2.imread(str(crops[0]), cv2.IMREAD_GRAYSCALE)) > 100


def test_names_that_look_like_ours_are_kept_apart(good: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    paths = [good, tmp_path / "more" / "good.png", tmp_path / "good.png-2", tmp_path / "GOOD.PNG"]
    for path in paths[1:]:
        path.write_bytes(good.read_bytes())
    out = tmp_path / "out"
    run = read("--json", *paths, "--overlay", out)
    assert (run.returncode, run.stderr, len(texts(run))) == (0, "", 4)
    assert len(list(out.iterdir())) == 4


def test_an_address_of_another_kind_is_one_line(good: Path) -> None:
    run = read("--json", "rtsp://camera/1", good)
    assert run.stderr == (
        "digitlens: rtsp://camera/1: rtsp is not a kind of address that is read (http, https, s3)\n"
    )
    assert (run.returncode, texts(run)) == (1, [["40716"]])
