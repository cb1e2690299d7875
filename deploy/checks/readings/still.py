"""Print how far live confidences of a picture that stands still differ from those of `digitlens read`.

    .venv/3.11-test/bin/python deploy/checks/readings/still.py [PATH ...] [--frames 100]

Each picture is read once, as `read` does, and then held before the live loop for so many frames. A number
that is steady in the end is compared with the number of the same digits that `read` has at its place:
looking at the same pixels again is no evidence. Without paths it takes the photos and the papers of
../shared, or else examples/. The exit status is 1 if a confidence differs by more than 0.02.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from digitlens import Reader
from digitlens.core.arrays import Gray
from digitlens.core.boxes import iou
from digitlens.core.frames import Frame
from digitlens.core.readings import Number
from digitlens.core.tracking import Tracked
from digitlens.displays.base import Preview
from digitlens.displays.none import NoDisplay
from digitlens.images import pictures
from digitlens.live.loop import Live
from digitlens.live.tracker import Tracker

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"
SETS = (SHARED / "photos", SHARED / "data" / "validation" / "papers")
RATE = 30
"""Frames a second."""
MOST = 0.02
"""Largest difference of two confidences."""


class StillCamera:
    """Gives one picture (h, w) uint8 so many times."""

    name = "still"
    dropped = 0
    preview: Preview | None = None

    def __init__(self, gray: Gray, frames: int) -> None:
        self._frames: Iterator[Frame] = iter([Frame(gray, gray, k / RATE, k / RATE) for k in range(frames)])

    def newest(self, timeout: float) -> Frame | None:
        """The next frame; None at the end."""
        return next(self._frames, None)

    def close(self) -> None:
        """Nothing to close."""


def main() -> int:
    """Read all pictures both ways, and print the differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, help="pictures, or folders of them")
    parser.add_argument("--frames", type=int, default=100, help="of each picture (default: %(default)s)")
    options = parser.parse_args()
    paths = options.paths or [folder for folder in SETS if folder.exists()] or [ROOT / "examples"]
    reader, differences, unread = Reader(), [], 0
    count = 0
    for path in found(paths):
        gray = next(pictures.load(path)).pixels
        count += 1
        read = reader.read(gray).numbers
        for one in steady(gray, options.frames):
            alike = [other for other in read if other.text == one.number.text and same_place(other, one)]
            if not alike:
                unread += 1
                print(f"{path.name}: {one.number.text} is steady, and `read` has it not", flush=True)
                continue
            difference = min(abs(one.number.confidence - other.confidence) for other in alike)
            differences.append(difference)
            if difference > MOST:
                print(f"{path.name}: {one.number.text} differs by {difference:.3f}", flush=True)
    if not differences:
        sys.exit("no number was steady: give pictures with numbers")
    each = np.array(differences)
    print(
        f"{count} pictures, {len(each)} steady numbers, {unread} more that `read` has not: "
        f"the largest difference is {each.max():.4f}, {int((each > MOST).sum())} are over {MOST}"
    )
    return int(each.max() > MOST)


def found(paths: Sequence[Path]) -> list[Path]:
    """The picture files in these paths."""
    return [file for path in paths for file in pictures.expand(path) if not pictures.is_video(file)]


def steady(gray: Gray, frames: int) -> list[Tracked]:
    """The numbers that are steady after so many frames of one picture."""
    tracker = Tracker()
    camera = StillCamera(gray, frames)
    Live(camera, Reader(film=True), tracker, NoDisplay(), wait=lambda _: False).run()
    return [one for one in tracker.numbers if one.steady]


def same_place(number: Number, one: Tracked) -> bool:
    """Whether two numbers overlap by more than half."""
    boxes = np.array([number.box, one.number.box], np.float64)
    return bool(iou(boxes[:1], boxes[1:]) > 0.5)


if __name__ == "__main__":
    sys.exit(main())
