"""PDF -> pages, drawn by pdfium in a process of its own, which a broken document cannot outlive."""

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.errors import DependencyError, PictureError
from digitlens.images.document_page import DocumentPage, Limits
from digitlens.images.still_limits import MOST_PIXELS
from digitlens.images.stills import ENOUGH, LARGE

PROGRAM = Path(__file__).with_name("pdf_process.py")
MOST_LOST = 3
"""Pages in a row that may end the process before the document is given up."""
GONE = "takes too much memory, or breaks the library that draws it"


def pages(data: bytes | Path, name: str, color: bool, limits: Limits) -> Iterator[DocumentPage]:
    """Each page of a PDF, at a scan's own resolution, and reduced as other large pictures are.

    Raises:
        PictureError: it cannot be opened.
        DependencyError: pypdfium2 is missing.
    """
    if find_spec("pypdfium2") is None:
        raise DependencyError(f"{name}: PDF needs pypdfium2: pip install 'digitlens[documents]'")
    with _Document(data, color, limits) as document:
        try:
            count = document.open()
        except PictureError as error:
            raise PictureError(f"{name}: {error}") from error
        for number in range(1, min(count, limits.pages) + 1):
            label = f"page {number}: " if count > 1 else ""
            if document.lost >= MOST_LOST:
                why = f"{label}given up, as all pages behind it: the {MOST_LOST} before could not be drawn"
                yield DocumentPage(number, None, why, several=True)
                return
            try:
                pixels, size = document.draw(number - 1)
            except PictureError as error:
                yield DocumentPage(number, None, f"{label}{error}", several=count > 1)
                continue
            yield DocumentPage(number, pixels, None, size, count > 1)
            del pixels  # the next page needs its memory
        if count > limits.pages:
            number = limits.pages + 1
            yield DocumentPage(
                number, None, f"page {number}: more than {limits.pages} pages: split it", several=True
            )


class _Document:
    """A PDF in the process that draws it; where that ends, another is started.

    `lost` is how many pages in a row have ended it.
    """

    def __init__(self, data: bytes | Path, color: bool, limits: Limits) -> None:
        self._data = data
        self._request: dict[str, Any] = {
            "color": color, "dpi": limits.dpi, "seconds": limits.seconds, "memory": limits.memory,
            "pixels": MOST_PIXELS, "enough": ENOUGH, "large": LARGE,
        }  # fmt: skip
        if isinstance(data, bytes):
            self._request |= {"length": len(data), "memory": limits.memory + len(data)}
        else:
            self._request |= {"path": os.fspath(data.absolute())}
        self._process: _Process | None = None
        self.lost = 0

    def __enter__(self) -> "_Document":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.give_back()

    def open(self) -> int:
        """The number of its pages.

        Raises:
            PictureError: in one line without its name.
        """
        self._process = _Process.take()
        answer = self._ask(self._request, self._data if isinstance(self._data, bytes) else b"")
        return int(answer["pages"])

    def draw(self, page: int) -> tuple[Pixels, tuple[int, int]]:
        """(H, W, 3) BGR or (H, W) gray, and the page's own width and height in pixels; `page` from 0.

        Raises:
            PictureError: in one line without its name.
        """
        if self._process is None:
            self.open()
        answer = self._ask({"page": page})
        width, height, stride = answer["width"], answer["height"], answer["stride"]
        content = None if self._process is None else self._process.content(height * stride)
        if content is None:
            raise self._gone()
        self.lost = 0
        rows = np.frombuffer(content, np.uint8).reshape(height, stride)
        across, down = answer["size"]
        if not self._request["color"]:
            return np.ascontiguousarray(rows[:, :width]), (across, down)
        return np.ascontiguousarray(rows[:, : 3 * width]).reshape(height, width, 3), (across, down)

    def _ask(self, request: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        answer = None if self._process is None else self._process.ask(request, content)
        if answer is None:
            raise self._gone()
        if "error" in answer:
            raise PictureError(answer["error"])
        return answer

    def _gone(self) -> PictureError:
        """Why the process has ended."""
        status = 0 if self._process is None else self._process.ended()
        self._process = None
        self.lost += 1
        late = f"takes more than {self._request['seconds']:g} s to draw"
        return PictureError(late if status == -signal.SIGPROF else GONE)


class _Process:
    """One process; an idle one waits for the next document."""

    idle: "list[_Process]" = []  # noqa: RUF012  # shared by all

    def __init__(self) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-P", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
        )
        self._in = cast(IO[bytes], self._process.stdin)
        self._out = cast(IO[bytes], self._process.stdout)

    @classmethod
    def take(cls) -> "_Process":
        """An idle process, or a new one."""
        while cls.idle:
            one = cls.idle.pop()
            if one._owner == os.getpid() and one._process.poll() is None:  # not of the one that has forked us
                return one
        atexit.unregister(cls.close)
        atexit.register(cls.close)
        return cls()

    def give_back(self) -> None:
        """Keep it for the next document; one is enough."""
        if self.idle:
            self.ended()
        else:
            self.idle.append(self)

    @classmethod
    def close(cls) -> None:
        """End the idle ones."""
        while cls.idle:
            one = cls.idle.pop()
            if one._owner == os.getpid():
                one.ended()

    def ask(self, request: dict[str, Any], content: bytes) -> dict[str, Any] | None:
        """The answer to a request and the bytes behind it; None if the process has ended."""
        try:
            self._in.write(json.dumps(request).encode() + b"\n")
            self._in.write(content)
            self._in.flush()
            line = self._out.readline()
            return json.loads(line) if line.endswith(b"\n") else None
        except OSError:
            return None

    def content(self, length: int) -> bytes | None:
        """The bytes behind an answer; None if the process has ended."""
        content = self._out.read(length)
        return content if len(content) == length else None

    def ended(self) -> int:
        """End it; its exit status, or minus the signal that has ended it before."""
        self._process.stdin = self._process.stdout = None
        for pipe in (self._in, self._out):
            with suppress(OSError):  # what was not yet written
                pipe.close()
        try:
            return self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
