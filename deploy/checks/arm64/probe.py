"""Runs in each root: the wheel's outputs for a sheet, a frame, 1,000 digits and 40 rows; compares two roots'.

probe.py run RUNTIME OUT.npz | probe.py compare HERE.npz THERE.npz | probe.py count|film RUNTIME
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens import Classifier, Reader
from digitlens.config.parameters.following import FollowParameters
from digitlens.config.parameters.tracking import LoopParameters
from digitlens.core.frames import Frame
from digitlens.core.preview import Preview
from digitlens.displays.none import NoDisplay
from digitlens.glyphs.normalize import to_mnist
from digitlens.live.changes import ChangeDetector
from digitlens.live.loop import Live
from digitlens.live.tracker import Tracker
from digitlens.models import cards
from digitlens.models.interpreter import Network
from digitlens.paper.network import CLASSES, InkNetwork
from digitlens.paper.page import find_page
from digitlens.rows.recognizer import RowRecognizer, padded

CHECK = Path("/check")
MARK = 4242000
"""The first process group of a mark, as in count.c."""
FILM = 30
"""Frames of the shaking film, one second of it."""
Gray = npt.NDArray[np.uint8]


def digits() -> Gray:
    """(1000, 28, 28) uint8 of MNIST's test set."""
    return np.load(CHECK / "digits.npz")["x"]


def rows(x: Gray) -> list[Gray]:
    """40 rows of four digits each, (32, 128) uint8."""
    found = []
    for start in range(0, 160, 4):
        strip = np.zeros((32, 128), np.uint8)
        for place, digit in enumerate(x[start : start + 4]):
            strip[2:30, 2 + 31 * place : 30 + 31 * place] = digit
        found.append(padded(strip))
    return found


def frame(x: Gray, seed: int = 5) -> Gray:
    """A gray frame (720, 1280) uint8: noisy paper with 20 digits in four numbers."""
    noise = np.random.default_rng(seed).normal(0, 2, (720, 1280))
    ink = np.zeros((720, 1280))
    for index, digit in enumerate(x[:20]):
        row, place = divmod(index, 5)
        large = cv2.resize(digit, (56, 56), interpolation=cv2.INTER_LINEAR)
        left, top = 120 + 60 * place + 500 * (row % 2), 150 + 250 * (row // 2)
        ink[top : top + 56, left : left + 56] = large
    return np.clip(220 - ink * 0.7 + noise, 0, 255).astype(np.uint8)


def run(runtime: str, out: str) -> None:
    """Write the outputs of the three networks and the reader into a file; of `ink` a line for each pixel."""
    x = digits()
    batches = {
        "digits": x[..., np.newaxis],
        "numbers": np.stack(rows(x))[..., np.newaxis],
        "ink": frame(x)[np.newaxis, :448, :640, np.newaxis],
    }
    outputs = {}
    for name, batch in batches.items():
        content = cards.load(cards.find(name))[1]
        for portable in (False, True):
            output = Network(content, 1, runtime, portable).run(np.ascontiguousarray(batch))
            outputs[f"{name}{' portable' * portable}"] = (
                output.reshape(-1, CLASSES) if name == "ink" else output
            )
    reader = Reader(
        Classifier.load(runtime=runtime),
        recognizer=RowRecognizer.load(runtime=runtime),
        ink=InkNetwork.load(runtime=runtime),
    )
    reading = reader.read(cv2.imread(str(CHECK / "sheet.jpg")))
    sheet = [
        [number.text, number.box, [(digit.value, digit.box, digit.confidence) for digit in number.digits]]
        for number in reading.numbers
    ]
    about = {
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "runtime": runtime,
        "machine": os.uname().machine,
    }
    np.savez(out, **outputs, sheet=np.array(json.dumps(sheet)), about=np.array(json.dumps(about)))
    sys.stdout.write(f"{about}, {os.uname().machine}: {len(reading.numbers)} numbers on the sheet\n")


def compare(here: str, there: str) -> int:
    """Print the differences; 1 if a number of the sheet, an answer or a byte of litert's differs.

    XNNPACK, litert's default, rounds alike on all processors; TFLite's own kernels, which tflite-runtime
    and `portable` networks use, do not. Of the 71,680 pixels that the network `ink` gives, 72 at the edges of
    ink may have another answer.
    """
    one, other = np.load(here), np.load(there)
    strict = json.loads(str(one["about"]))["runtime"] == "litert"
    bad = 0
    for name in one.files:
        if name == "about":
            continue
        if name == "sheet":
            bad += not _same_sheet(*(json.loads(str(file[name])) for file in (one, other)))
            continue
        a, b = one[name].astype(np.int64), other[name].astype(np.int64)
        a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
        rows_ = int((a != b).any(axis=1).sum())
        line = f"  {name}: {one[name].dtype} outputs of {len(a)}: "
        if rows_:
            known = name.startswith(("digits", "ink"))
            answers = int((a.argmax(axis=1) != b.argmax(axis=1)).sum()) if known else -1
            line += f"{rows_} differ, {(a != b).sum()} of {a.size} values by up to {np.abs(a - b).max()}"
            line += f"; {answers} other answers" if answers >= 0 else ""
            bad += answers > (72 if name.startswith("ink") else 0) or (strict and "portable" not in name)
        else:
            line += "all the same"
        print(line)
    return bool(bad)


def _same_sheet(one: list[Any], other: list[Any]) -> bool:
    """Whether texts and boxes are the same; prints the largest difference of the confidences."""
    texts = [
        [(text, box, [part[:2] for part in parts]) for text, box, parts in sheet] for sheet in (one, other)
    ]
    if texts[0] != texts[1]:
        print(f"  sheet: {len(one)} and {len(other)} numbers, NOT the same")
        return False
    confidences = [[part[2] for _, _, parts in sheet for part in parts] for sheet in (one, other)]
    furthest = max(abs(a - b) for a, b in zip(*confidences, strict=True))
    print(f"  sheet: {len(one)} numbers with their boxes the same, confidences to {furthest:.1e}")
    return True


def mark(number: int) -> None:
    """Have the emulator's plugin print its count."""
    with suppress(ProcessLookupError):
        os.getpgid(MARK + number)


def count(runtime: str) -> None:
    """Run each stage three times, the third between marks, after caches and buffers are warm."""
    cv2.setNumThreads(1)
    x = digits()
    gray = frame(x)
    classifier, strips = Classifier.load(runtime=runtime), RowRecognizer.load(runtime=runtime)
    ink = InkNetwork.load(runtime=runtime)
    reader, changes = Reader(classifier, recognizer=strips, ink=ink), ChangeDetector()
    strip = rows(x)[0]
    glyphs = find_page(gray, ink).glyphs
    batch = to_mnist(glyphs)
    assert len(glyphs) == 20, len(glyphs)
    reading = reader.read(gray)
    sys.stderr.write(f"{[number.text for number in reading.numbers]}\n")
    changes.changed(gray)
    changes.keep()
    others = iter([frame(x, seed) for seed in (6, 7, 8)])  # the reader caches rows of equal frames
    calls = (  # in the order of the names in `run`
        lambda: changes.changed(gray),
        lambda: ink.logits(gray),
        lambda: find_page(gray, ink),
        lambda: to_mnist(glyphs),
        lambda: classifier.probabilities(batch),
        lambda: classifier.probabilities(batch[:1]),
        lambda: strips.columns(strip),
        lambda: reader.read(next(others)),
    )
    for index, call in enumerate(calls):
        call()
        call()
        mark(2 * index)
        call()
        mark(2 * index + 1)
    film(runtime, 2 * len(calls))


class ShakingFilm:
    """A camera that a hand holds over a page (h, w): FILM frames with marks before and after all."""

    name = "film"
    dropped = 0
    preview: Preview | None = None

    def __init__(self, page: Gray, mark_: int) -> None:
        self._mark, self._over = mark_, False
        self._frames = iter(list(self._shaken(page)))

    def newest(self, timeout: float) -> Frame | None:
        """The next frame; None at the end."""
        found = next(self._frames, None)
        if found is None:
            mark(self._mark + 1)
        elif found.time == 0:
            mark(self._mark)
        return found

    def close(self) -> None:
        """Nothing to close."""

    def _shaken(self, page: Gray) -> Iterator[Frame]:
        random = np.random.default_rng(7)
        middle = page.shape[1] / 2, page.shape[0] / 2
        for number in range(FILM):
            seconds = number / 30
            turn, zoom = np.degrees(0.02 * np.sin(2 * seconds)), 1 + 0.02 * np.sin(1.4 * seconds)
            move = cv2.getRotationMatrix2D(middle, turn, zoom)
            tremor = 1.5 * np.sin(2 * np.pi * 9 * seconds)
            move[:, 2] += 30 * np.sin(1.4 * seconds) + tremor, 30 * np.cos(1.1 * seconds) - tremor
            view = cv2.warpAffine(page, move, page.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
            gray = (view + random.normal(0, 3, view.shape)).clip(0, 255).astype(np.uint8)
            yield Frame(gray, gray, seconds, 0.0)


def film(runtime: str, first: int = 0) -> None:
    """Run the live loop over the shaking film, each frame read and then followed; marks from `first`."""
    cv2.setNumThreads(1)
    page = frame(digits())
    for place, enabled in enumerate((False, True)):
        reader = Reader(
            Classifier.load(runtime=runtime),
            recognizer=RowRecognizer.load(runtime=runtime),
            ink=InkNetwork.load(runtime=runtime),
            film=True,
        )
        camera = ShakingFilm(page, first + 2 * place)
        parameters = LoopParameters(following=FollowParameters(enabled=enabled))
        live = Live(camera, reader, Tracker(), NoDisplay(), wait=lambda _: False, parameters=parameters)
        live.run()
        sys.stderr.write(f"{live.read} of {live.frames} frames read\n")


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(*sys.argv[2:])
    elif sys.argv[1] == "compare":
        sys.exit(compare(*sys.argv[2:]))
    elif sys.argv[1] == "film":
        film(sys.argv[2])
    else:
        count(*sys.argv[2:])
