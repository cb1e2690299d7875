"""Inside the root: draws the pages, lets digitlens read them from the camera, and looks at its screen.

Passes only if each page's numbers, and no others, come as steady events, and if on a small and on a large
screen each page is seen with its numbers framed and labeled, also after a camera that fell silent was opened
again; then if s saves and q ends it.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ImageGrab

from digitlens.displays.labels import STEADY
from digitlens.images.pictures import save

SOURCE = Path(__file__).parents[3]
sys.path.append(str(SOURCE / "train"))
from digitlens_train import pages  # noqa: E402  # not in the wheel

Pixels = npt.NDArray[np.uint8]
Event = dict[str, Any]
T = TypeVar("T")
PAGES = (("3141", "592 6535"), ("2718 28", "1828", "459 04"))
COPIES = 45
"""Of each page's picture: the virtual camera shows each for four frames, which makes six seconds."""
BLANK = 30
"""Of the empty sheet after each page: one is taken away before the next is laid."""
SCREENS = ((480, 320), (1920, 1080))
SILENT_ON = (800, 480)
SILENT_AFTER = 150
"""Frames of a camera that then gives no more and reports no error: in the middle of the first page."""
LONG = 120.0
"""Seconds for the events, and for each picture of the screen, before the check fails."""
ALIKE = 0.5
"""The correlation from which the page is on the screen."""
FRAMED = 0.9
"""Of a number's frame, that is to be seen on the screen."""


class Failed(Exception):  # noqa: N818  # not an error of the program's
    """What was not as it has to be."""


def main(folder: Path) -> None:
    """Draw into `folder`/pages, judge, and leave the screenshots and events in `folder`/out."""
    with np.load(SOURCE / "tests" / "data" / "digits.npz") as digits:
        *drawn, empty = [
            pages.compose(rows, digits["x"], digits["y"], seed, pages.Paper())
            for seed, rows in enumerate((*PAGES, ("",)))
        ]
    for name in ("pages", "out", "saved"):
        (folder / name).mkdir()
    number = 0
    for page in drawn:
        for picture, copies in ((page, COPIES), (empty, BLANK)):
            # JPEG, as the virtual camera wants them; by name in the order in which they are shown.
            first = folder / "pages" / f"{number:04}.jpg"
            save(first, picture)
            for copy in range(1, copies):
                (folder / "pages" / f"{number + copy:04}.jpg").hardlink_to(first)
            number += copies
    for screen in SCREENS:
        judge(folder, drawn, screen)
    judge(folder, drawn, SILENT_ON, silent=True)
    print("camera check: PASSED")


def judge(folder: Path, drawn: list[Pixels], screen: tuple[int, int], silent: bool = False) -> None:
    """One run on a screen of this size; `silent`: its camera stalls once."""
    wanted = {text for rows in PAGES for row in rows for text in row.split()}
    title = f"{screen[0]}x{screen[1]}"
    with a_screen(screen) as display, live(folder, display, title, silent) as running:
        if silent:
            running.until(lambda: "no frame for" in running.said() or None, f"{title}: a line of the stall")
            running.until(lambda: "picamera: open again" in running.said() or None, f"{title}: open again")
            running.forget()
        running.until(lambda: wanted <= running.texts() or None, f"{title}: {wanted} as steady numbers")
        for number, (rows, page) in enumerate(zip(PAGES, drawn, strict=True)):
            texts = [text for row in rows for text in row.split()]
            last = folder / "out" / f"{title}_last.png"
            shot = running.until(
                partial(shown, running, display, texts, page, screen, last),
                f"{title}: page {number} with its numbers framed, on the screen",
            )
            cv2.imwrite(str(folder / "out" / f"{title}_page{number}.png"), shot)
        if running.texts() != wanted:
            raise Failed(f"{title}: steady numbers {running.texts() - wanted} that are on no page")
        saved = folder / "saved" / title
        running.press("s", display)
        running.until(lambda: list(saved.glob("*.json")) or None, f"{title}: a saved picture")
        running.press("q", display)
        status = running.process.wait(LONG)
        if status != 0:
            raise Failed(f"{title}: digitlens ended with {status} after q")
        after = " after a silent stall" if silent else ""
        print(
            f"camera check: {title}{after}: {sorted(wanted)} steady, framed and labeled; s saved; q ended it"
        )


class Live:
    """A running `digitlens live`, and the events it has printed."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._events: list[Event] = []
        self._log = log
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def texts(self) -> set[str]:
        """The texts that were steady so far."""
        return {event["text"] for event in list(self._events)}

    def said(self) -> str:
        """What it has said on stderr."""
        return self._log.read_text()

    def forget(self) -> None:
        """The events so far."""
        self._events.clear()

    def boxes(self, texts: list[str]) -> dict[str, list[int]]:
        """Where each of these numbers was last."""
        return {event["text"]: event["box"] for event in list(self._events) if event["text"] in texts}

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """Look repeatedly until there is something; returns that.

        Raises:
            Failed: it took too long, or digitlens has ended.
        """
        end = monotonic() + LONG
        while (found := look()) is None:
            if self.process.poll() is not None or monotonic() > end:
                raise Failed(f"not seen: {what}; steady were {sorted(self.texts())}; {self.said()}")
            sleep(0.05)
        return found

    def press(self, key: str, display: str) -> None:
        """Press a key in its window, as a hand does."""
        command = ["xdotool", "search", "--onlyvisible", "--name", "^digitlens$", "windowfocus", "key", key]
        subprocess.run(command, check=True, env=os.environ | {"DISPLAY": display}, timeout=LONG)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self._log.with_suffix(".jsonl").open("w") as file:
            for line in self.process.stdout:
                file.write(line)
                self._events.append(json.loads(line))


@contextmanager
def a_screen(size: tuple[int, int]) -> Iterator[str]:
    """An X server of this size, by its name."""
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-noreset", "-screen", "0", f"{size[0]}x{size[1]}x24"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        yield ":" + server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


@contextmanager
def live(folder: Path, display: str, title: str, silent: bool) -> Iterator[Live]:
    """The command as a user gives it, but for the shims around it."""
    shims = SOURCE / "deploy" / "checks" / "camera" / "shims"
    environment = os.environ | {
        "DISPLAY": display,
        "LD_PRELOAD": str(folder / "dma_heap.so"),
        "PYTHONPATH": str(shims),
        "XDG_RUNTIME_DIR": str(folder),
        "SILENT_AFTER": str(SILENT_AFTER if silent else 0),
    }
    log = folder / "out" / f"{title}.log"
    command = [sys.executable, str(shims / "live.py"), "live", "--camera", "picamera", "--display", "qt"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--json", "--save", str(folder / "saved" / title)],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
        )  # fmt: skip
        try:
            yield Live(process, log)
        finally:
            process.kill()
            process.wait()


def grab(display: str) -> Pixels:
    """The screen as (H, W, 3) BGR."""
    return np.asarray(ImageGrab.grab(xdisplay=display).convert("RGB"))[..., ::-1]


def shown(
    running: Live, display: str, texts: list[str], page: Pixels, screen: tuple[int, int], last: Path
) -> Pixels | None:
    """A picture of the screen, if the page is on it with all that belongs to it; kept as `last` if not."""
    shot = grab(display)
    if stands(shot, running.boxes(texts), page, screen):
        return shot
    cv2.imwrite(str(last), shot)
    return None


def stands(shot: Pixels, boxes: dict[str, list[int]], page: Pixels, screen: tuple[int, int]) -> bool:
    """Whether the page is on the screen, each number in its frame with a label, the status line below."""
    shrink = min(1.0, 0.9 * screen[0] / page.shape[1], 0.9 * screen[1] / page.shape[0])
    width, height = round(page.shape[1] * shrink), round(page.shape[0] * shrink)
    picture = shot[:height, :width].astype(int)
    paper = cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA).astype(int)
    green = np.abs(picture - STEADY).max(axis=2) < 40
    status = picture[int(0.97 * height) :]
    return (
        not (np.abs(paper - STEADY).max(axis=2) < 40).any()
        and alike(picture, paper, green) > ALIKE
        and float(np.median(status)) < 0.5 * float(np.median(paper[int(0.97 * height) :]))
        and status.max() > 150
        and all(framed(green, picture, [round(side * shrink) for side in box]) for box in boxes.values())
    )


def alike(picture: npt.NDArray[np.int_], paper: npt.NDArray[np.int_], green: npt.NDArray[np.bool_]) -> float:
    """How well the page's ink is seen where nothing is drawn over it: 1 is all, another page's is about 0."""
    ink = []
    for pixels in (picture, paper):
        gray = cv2.cvtColor(pixels.astype(np.uint8), cv2.COLOR_BGR2GRAY).astype(np.float32)
        ink.append(gray - cv2.blur(gray, (31, 31)))  # without the light, which the camera's colors change
    bare = cv2.dilate(green.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    bare[int(0.9 * len(bare)) :] = False
    return float(np.corrcoef(ink[0][bare], ink[1][bare])[0, 1])


def framed(green: npt.NDArray[np.bool_], picture: npt.NDArray[np.int_], box: list[int]) -> bool:
    """Whether all four sides of a frame are seen around the box, and beside it a label with white letters."""
    x, y, w, h = box
    out = 3 + round(0.02 * len(green))  # so far outside the box its frame may be
    spans = slice(max(0, y), y + h), slice(max(0, x), x + w)
    sides = (
        green[max(0, y - out) : max(0, y) + 1, spans[1]].any(axis=0),
        green[y + h - 1 : y + h + out, spans[1]].any(axis=0),
        green[spans[0], max(0, x - out) : max(0, x) + 1].any(axis=1),
        green[spans[0], x + w - 1 : x + w + out].any(axis=1),
    )
    near = slice(max(0, y - h), y + 2 * h), slice(max(0, x - w), x + 2 * w)
    # A label is a block of the frame's color; white letters in it are as wide as high.
    block = cv2.morphologyEx(green[near].astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(
        bool
    )
    grown = cv2.morphologyEx(block.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)).astype(bool)
    letters = picture[near].min(axis=2)[grown] > 160
    return bool(min(side.mean() for side in sides) >= FRAMED and 0.03 < letters.mean() < 0.6)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Failed as failed:
        sys.exit(f"camera check: FAILED: {re.sub(chr(10), ' | ', str(failed))}")
