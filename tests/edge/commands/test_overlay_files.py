"""What digitlens read writes, and what it overwrites."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tests.edge.commands.reading import read, texts
from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def test_the_overlay_replaces_itself_and_nothing_else(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert read(good, "--overlay", out, "--stages", out).stderr == ""
    (out / "good.png.png").write_bytes(b"precious")
    run = read("--json", good, "--overlay", out)
    assert run.returncode == 1
    assert run.stderr == (
        f"digitlens: {out}/good.png.png: is there already, and not ours; move it, or name another folder\n"
    )
    assert texts(run) == [["40716"]]
    assert (out / "good.png.png").read_bytes() == b"precious"


def test_pictures_of_one_name_have_overlays_of_their_own(good: Path, tmp_path: Path, digits: Digits) -> None:
    (tmp_path / "more").mkdir()
    other, out = tmp_path / "more" / "good.png", tmp_path / "out"
    cv2.imwrite(str(other), write("27", digits))
    run = read("--json", good, other, "--overlay", out, "--stages", out)
    assert texts(run) == [["40716"], ["27"]]
    assert sorted(path.name for path in out.iterdir()) == [
        "good.png", "good.png-2", "good.png-2.png", "good.png.png"
    ]  # fmt: skip
    drawn = [cv2.imread(str(out / name)).shape for name in ("good.png.png", "good.png-2.png")]
    assert drawn == [cv2.imread(str(path)).shape for path in (good, other)]
