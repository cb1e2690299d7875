"""Films of a sheet: opened as a live camera, and read."""

from pathlib import Path

import numpy as np
import pytest

from digitlens import Reader
from digitlens.cameras.registry import open_camera
from digitlens_train.__main__ import main


@pytest.mark.parametrize("still", [True, False])
def test_a_film_is_played_and_read(tmp_path: Path, mnist: Path, reader: Reader, still: bool) -> None:
    path = tmp_path / "film.avi"
    more = ["--still"] if still else []
    assert (
        main(["film", "314 15", "27", "--frames", "6", "--out", str(path), "--mnist", str(mnist), *more]) == 0
    )
    camera = open_camera(str(path), rate=0)
    grays = []
    while (frame := camera.newest(1.0)) is not None:
        grays.append(frame.gray.astype(np.int16))
    assert len(grays) == 6
    assert grays[0].shape == (720, 1280)
    assert np.any(grays[0] != grays[5])
    assert (np.abs(grays[0] - grays[5]).max() < 60) == still
    texts = [number.text for number in reader.read(grays[0].astype(np.uint8)).numbers]
    assert texts == ["314", "15", "27"]


def test_a_film_that_cannot_be_written(
    tmp_path: Path, mnist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "no" / "film.avi"
    assert main(["film", "1", "--out", str(out), "--mnist", str(mnist)]) == 1
    assert "cannot be written" in capsys.readouterr().err
