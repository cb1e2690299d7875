"""File names of any bytes -> digitlens read and live, as a user calls them."""

import contextlib
import io
import json
import os
import random
import socket
import sys
from pathlib import Path

import cv2
import numpy as np

from digitlens.commands.main import main
from digitlens.images.pictures import PICTURES, VIDEOS
from fuzz.cases import Found, Ready

PIECES = (
    b"http:127.0.0.1:PORT?x", b"tcp:127.0.0.1:PORT", b"concat:other.avi|x", b"file:other", b"pipe:0",
    b"subfile,,:x", b"\x1b[31m", b"\x1b]0;title\x07", b"\r", b"\n", b"\t", b"\x7f", b"\xc2\x9b2J",
    b"\xff\xfe", b"\xed\xa0\x80", b"-", b"--json", b"%05d", b"%n", b"'\"", b"$(id)", b"..", b" ",
    b"\xe2\x80\xae", b"\xc3\xa9", b"a" * 200, b"#?", b"usb:0",
)  # fmt: skip
ALLOWED = {"\n"}
"""Control characters in what is printed for people."""


class _Output(io.TextIOWrapper):
    """Stands for stdout, with its buffer."""

    def __init__(self) -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, "utf-8", errors="strict", newline="\n", write_through=True)

    def said(self) -> bytes:
        self.flush()
        return self.raw_bytes.getvalue()


def name(case: random.Random, folder: Path, ready: Ready) -> None:
    """A folder of pictures and videos with strange names: read as files, named on one line each."""
    place = folder / f"names{case.randrange(10**9)}"
    place.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = str(listener.getsockname()[1]).encode()
        files = [path for path in (_make(case, place, port) for _ in range(case.choice([1, 2, 4]))) if path]
        options: list[str] = case.choice(
            [[], ["--json"], ["--json"], ["--overlay", str(folder / "overlays")]]
        )
        given = [str(place)] if case.random() < 0.5 else [os.fsdecode(path) for path in files]
        ready()
        here = Path.cwd()
        os.chdir(place)
        try:
            if given and given[0] != str(place) and case.random() < 0.5:  # as a user types it in that folder
                given = [os.path.basename(one) for one in given]  # noqa: PTH119
                if any(one.startswith("-") for one in given):
                    given = ["--", *given]
            if case.random() < 0.3:
                camera = Path(given[-1]).absolute()
                options = case.choice([[], ["--json"], ["--json", "--record", str(folder / "record.avi")]])
                more = ["--display", "none", "--rate", "0", "--hold", "2"]
                status, out, err = _run(["live", "--camera", str(camera), *more, *options])
                for file in folder.glob("record.*"):
                    file.unlink()
            else:
                status, out, err = _run(["read", *options, *given])
        finally:
            os.chdir(here)
        with contextlib.suppress(BlockingIOError):
            listener.accept()
            raise Found("a file's name became a connection")
    if status not in (0, 1):
        raise Found(f"exit status {status}: {err}")
    for text in (err, "" if "--json" in options else out):
        for letter in text:
            if not (letter.isprintable() or letter in ALLOWED):
                raise Found(f"prints {letter!r}: {text!r}")
    if "Traceback" in err:
        raise Found(err)
    if "--json" in options:
        for line in filter(None, out.split("\n")):
            json.loads(line)


def _run(arguments: list[str]) -> tuple[int, str, str]:
    out, err = _Output(), io.StringIO()
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        status = main(arguments)
    except SystemExit as error:  # argparse
        raise Found(f"{arguments}: {err.getvalue()}") from error
    finally:
        sys.stdout, sys.stderr = kept
    return status, out.said().decode(), err.getvalue()


def _make(case: random.Random, place: Path, port: bytes) -> bytes | None:
    """A file with a name of pieces; None where the file system does not take it."""
    stem = b"".join(case.choice(PIECES) for _ in range(case.randrange(1, 5))).replace(b"PORT", port)
    suffix = case.choice(sorted(PICTURES | VIDEOS)).encode()
    whole = (stem.replace(b"/", b"_")[: 250 - len(suffix)]) + suffix
    path = os.fsencode(place) + b"/" + whole
    kind = case.randrange(6)
    try:
        if kind == 0:
            os.mkfifo(path)
        elif kind == 1:
            Path(os.fsdecode(path)).symlink_to("/nonexistent/\udcff\x1b[2J")
        elif kind == 2:
            Path(os.fsdecode(path)).mkdir()
        else:
            done, picture = cv2.imencode(".png", np.full((40, 60), 230, np.uint8))
            assert done
            with open(path, "wb") as file:  # noqa: PTH123  # bytes
                file.write(picture.tobytes() if kind < 5 else b"nothing")
    except OSError:
        return None
    return path
