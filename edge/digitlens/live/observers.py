"""The one protocol of all that looks at the live loop: statistics, recordings, pages, the terminal."""

from digitlens.core.frames import Frame
from digitlens.core.readings import Reading
from digitlens.core.tracking import Event, Tracked


class LiveObserver:
    """Looks at the live loop, in its thread; every method does nothing until it is overridden."""

    def event(self, event: Event, size: tuple[int, int]) -> None:
        """A number appeared, changed or disappeared; its box is in a picture of `size` (width, height)."""

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        """A frame was read, or found to be the one before once more; boxes are in a picture of `size`.

        Raises:
            RecordError: this observer is not called again, and the loop goes on.
        """

    def captured(self, taken: float, dropped: int, read: int) -> None:
        """A frame is done with, usable or not: when it came (Frame.taken), frames dropped and read so far."""

    def stage(self, name: str, milliseconds: float) -> None:
        """A stage of a frame ended; `camera` is CPU time, the others wall time, `total` comes last."""

    def message(self, line: str) -> None:
        """A line for the user."""

    def camera_lost(self, why: str) -> None:
        """The camera is lost, or cannot be opened again for another reason than before."""

    def camera_reopened(self, name: str) -> None:
        """The camera is open again."""
