"""File names of any bytes, in every command: read as files, and printed without what disturbs a terminal."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.commands.main import main
from digitlens.outlets.outbox import Outbox
from tests.edge.outlets.brokers import draft
from tests.edge.pages import write

NAME = os.fsdecode(b"\xff\x1b]0;title\x07\x1b[31m\r\xc2\x9b2J")
SHOWN = "??]0;title??[31m??2J"
"""NAME as a terminal gets it: Python decodes the control character of two bytes."""


@pytest.fixture
def strange(tmp_path: Path, digits: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]) -> Path:
    path = tmp_path / f"{NAME}.png"
    done, picture = cv2.imencode(".png", write("40716", digits))
    assert done
    path.write_bytes(picture.tobytes())
    return path


def said(
    capfdbinary: pytest.CaptureFixture[bytes], *arguments: str | Path, status: int = 0
) -> tuple[str, str]:
    assert main([str(argument) for argument in arguments]) == status
    return printed(capfdbinary)


def printed(capfdbinary: pytest.CaptureFixture[bytes]) -> tuple[str, str]:
    out, err = (text.decode() for text in capfdbinary.readouterr())
    for text in (out, err):
        assert all(letter.isprintable() or letter == "\n" for letter in text), text
    return out, err


def test_live(strange: Path, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    record = tmp_path / f"{NAME}.avi"
    live = ("live", "--display", "none", "--rate", "0")
    out, err = said(capfdbinary, *live, "--camera", strange, "--json", "--record", record)
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["40716"]
    readings = record.with_suffix(".jsonl").read_text().splitlines()
    assert json.loads(readings[-1])["source"].startswith(f"{tmp_path}/\ufffd\x1b]0;title")
    out, err = said(capfdbinary, *live, "--camera", record, "--hold", "1")
    assert "40716" in out
    _, err = said(capfdbinary, *live, "--camera", tmp_path / f"none{NAME}", status=1)
    assert f"none{SHOWN}: no such file" in err


def test_log(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / NAME
    journal = Outbox(path, 1, "pi")
    journal.add([draft(7)])
    journal.close()
    out, _ = said(capfdbinary, "log", "--journal", path)
    assert " 7 " in out
    _, err = said(capfdbinary, "log", "--journal", path, "--region", "x")
    assert err == f"digitlens: {tmp_path}/{SHOWN}: nothing there that fits\n"
    _, err = said(capfdbinary, "log", "--journal", path, "--dead-letters")
    assert err == f"digitlens: {tmp_path}/{SHOWN}: no dead letters\n"


def test_settings(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / NAME
    file.write_text("")
    out, _ = said(capfdbinary, "serve", "--check", "settings", "--config", file)
    assert out == f"{tmp_path}/{SHOWN}: ok\n"


def test_arguments(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A file may be taken for an option where a shell has expanded *."""
    with pytest.raises(SystemExit, match="2"):
        main(["read", "x.png", f"--{NAME}"])
    _, err = printed(capfdbinary)
    assert f"unrecognized arguments: --{SHOWN}" in err
