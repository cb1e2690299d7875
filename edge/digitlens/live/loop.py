"""The live loop: camera -> reading -> steady numbers -> display and events, until it is told to stop."""

from collections.abc import Callable
from time import monotonic, perf_counter, process_time

import msgspec

from digitlens.cameras.base import Camera
from digitlens.core.errors import CameraError, CameraStalled, DigitLensError, DisplayError, RecordError
from digitlens.core.frames import Frame
from digitlens.core.readings import Reading, resized
from digitlens.core.tracking import Event, Tracked
from digitlens.displays.base import Display, Key
from digitlens.displays.none import NoDisplay
from digitlens.images.pictures import Pixels
from digitlens.live.changes import ChangeDetector
from digitlens.live.snapshots import Snapshots
from digitlens.live.stats import LoopStats
from digitlens.live.tracker import Tracker
from digitlens.reader import Reader

Publish = Callable[[Frame, tuple[Tracked, ...], tuple[int, int]], None]

SLICE = 0.25
"""Seconds for which a camera is waited on at a time: so long a signal or a key may have to wait."""
PATIENCE = 5.0
"""Seconds without a frame after which a camera that reports no error is lost."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before a lost camera is opened again; the last again and again. Each opening costs CMA memory."""
CONFIRM = 5
"""Frames of an unmoving picture that are read, for one alone may be read wrongly."""
DOUBT = 30
"""The same while a number is not steady."""
REFRESH = 30
"""Of an unmoving picture's frames, every so many is read all the same."""


def patience(rate: float | None, least: float = PATIENCE) -> float:
    """Seconds without a frame that are too long for a camera of so many frames a second, if that is known."""
    return max(least, 3 / rate) if rate else least


class Live:
    """Runs until the replay ends, `wait` says stop, or a key does.

    Args:
        camera: open; it is closed at the end.
        reopen: opens it again when it is lost; None lets its error end the loop.
        display: shows every frame; left open.
        emit: is handed each event.
        say: is handed each line for the user.
        record: is handed the frame's image and its reading; one RecordError, and it is not called again.
        wait: waits so many seconds, 0 included, and says whether to stop.
        publish: is handed each frame that was read, or compared and found to be the one before once more,
            with the numbers of now and the size of the picture that their boxes are in.
        vitals: is told how the loop is doing.
        watch: is handed a stage's name and its milliseconds; `camera` is CPU time, the others wall time.
        patience: seconds without a frame after which the camera is lost.
    """

    def __init__(
        self,
        camera: Camera,
        reader: Reader,
        tracker: Tracker,
        display: Display,
        *,
        wait: Callable[[float], bool],
        reopen: Callable[[], Camera] | None = None,
        emit: Callable[[Event], None] = lambda event: None,
        say: Callable[[str], None] = lambda line: None,
        record: Callable[[Pixels, Reading], None] | None = None,
        snapshots: Snapshots | None = None,
        publish: Publish = lambda frame, numbers, size: None,
        vitals: LoopStats | None = None,
        watch: Callable[[str, float], None] | None = None,
        clock: Callable[[], float] = monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self.frames = 0
        self.read = 0
        self.unusable = 0
        self._camera, self._reader, self._tracker, self._display = camera, reader, tracker, display
        self._wait, self._reopen, self._emit, self._say = wait, reopen, emit, say
        self._record, self._snapshots = record, snapshots or Snapshots()
        self._publish, self._vitals = publish, vitals or LoopStats(camera.name)
        self._watch = watch or self._vitals.watch
        self._clock, self._patience = clock, patience
        self._still = ChangeDetector()
        self._alike = 0  # frames read of this unmoving picture
        self._reused = 0  # frames since the last that was read
        self._frame: Frame | None = None  # as shown
        self._reading: Reading | None = None
        self._size = (1, 1)  # of the pixels that all boxes are in: those of the first frame
        self._numbers: tuple[Tracked, ...] = ()
        self._frozen = False
        self._over = False
        self._tries = 0
        self._newest = 0.0
        self._interval = 0.0

    def run(self) -> None:
        """The loop.

        Raises:
            CameraError: the camera is lost, and there is no `reopen`.
        """
        self._newest = self._clock()
        try:
            while not self._over and not self._wait(0.0):
                before = process_time()
                try:
                    frame = self._camera.newest(SLICE)
                except CameraError as error:
                    stalled = isinstance(error, CameraStalled)
                    if stalled and self._clock() - self._newest < self._patience:
                        self._show()
                    else:
                        self._lost(error)
                    continue
                if frame is None:
                    return
                self._watch("camera", (process_time() - before) * 1000)
                self._next(frame)
                self._vitals.frame(frame.taken, self._camera.dropped + self.unusable, self.read)
        finally:
            self._camera.close()

    @property
    def camera(self) -> Camera:
        """The one that is read from now."""
        return self._camera

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture that all boxes are in."""
        return self._size

    def change(
        self, *, reader: Reader | None = None, camera: Camera | None = None, patience: float | None = None
    ) -> None:
        """Go on with another from the next frame on; called by `wait`, between two frames."""
        if reader is not None:
            self._reader = reader
            self._reading = None  # what the one before has read of this picture
        if camera is not None:
            self._camera.close()
            self._camera = camera
            self._newest = self._clock()
        self._patience = patience or self._patience

    def _next(self, frame: Frame) -> None:
        started = perf_counter()
        now = self._clock()
        interval, self._newest, self._tries = now - self._newest, now, 0
        # The first interval is the camera's start; the mean of about the last ten after.
        self._interval = self._interval * 0.9 + interval * 0.1 if self._interval else interval
        self.frames += 1
        if not self._frozen:
            if frame.gray.ndim != 2 or not frame.gray.size:
                self.unusable += 1
                return
            self._frame = frame
            reading = self._look(frame)
            if self._record is not None:
                try:
                    self._record(frame.image, reading)
                except RecordError as error:
                    self._say(str(error))
                    self._record = None
            self._publish(frame, self._numbers, self._size)
        shown = perf_counter()
        self._show()
        ended = perf_counter()
        self._watch("show", (ended - shown) * 1000)
        self._watch("total", (ended - started) * 1000)

    def _look(self, frame: Frame) -> Reading:
        """The reading of the frame, a new one if there may be something new."""
        started = perf_counter()
        changed = self._still.changed(frame.gray)
        self._watch("compare", (perf_counter() - started) * 1000)
        if self._reading is not None and not changed and self._known():
            self._reused += 1
            self._reading = msgspec.structs.replace(self._reading, time=frame.time)
            return self._reading
        reading = self._reader.read(frame.gray, self._camera.name, frame.time)
        self._still.keep()
        self._alike = 1 if changed else self._alike + 1
        self._reused = 0
        self.read += 1
        if self._size == (1, 1):
            self._size = reading.size
        # A camera that changes its resolution shows the same sheet: its numbers stay where they were.
        self._reading = reading = resized(reading, self._size)
        tracked = perf_counter()
        for event in self._tracker.update(reading):
            self._emit(event)
        self._numbers = self._tracker.numbers
        for stage in ("glyphs", "rows", "numbers"):
            self._watch(stage, reading.milliseconds[stage])
        self._watch("read", reading.milliseconds["total"])
        self._watch("track", (perf_counter() - tracked) * 1000)
        return reading

    def _known(self) -> bool:
        """Whether an unmoving picture has been read often enough."""
        steady = all(number.steady for number in self._tracker.numbers)
        return self._alike >= (CONFIRM if steady else DOUBT) and self._reused < REFRESH - 1

    def _show(self, status: str = "") -> None:
        """Show what there is, and do what the keys say."""
        if self._frame is None:
            return
        try:
            keys = self._display.show(
                self._frame.image, self._numbers, self._size, status or self._status(self._frame)
            )
        except DisplayError as error:
            self._say(f"{error}; going on without a display")
            self._display.close()
            self._display = NoDisplay()
            return
        for key in keys:
            self._press(key)

    def _press(self, key: Key) -> None:
        if key == "quit":
            self._over = True
        elif key == "freeze":
            self._frozen = not self._frozen
        elif self._frame is not None and self._reading is not None:
            try:
                if key == "save":
                    numbers = tuple(tracked.number for tracked in self._tracker.numbers)
                    reading = msgspec.structs.replace(self._reading, numbers=numbers)
                    path = self._snapshots.save(self._frame.image, reading)
                elif key == "stages":
                    path = self._snapshots.stages(self._frame.gray, self._reader)
                else:
                    return
                self._say(f"saved {path}")
            except DigitLensError as error:
                self._say(str(error))

    def _status(self, frame: Frame) -> str:
        milliseconds = self._reading.milliseconds["total"] if self._reading else 0.0
        text = (
            f"{1 / self._interval if self._interval else 0:.0f} frames/s   read in {milliseconds:.0f} ms   "
            f"{max(0.0, self._clock() - frame.taken) * 1000:.0f} ms old"
        )
        return f"frozen   {text}" if self._frozen else text

    def _lost(self, error: CameraError) -> None:
        """Open the camera again and again, until it opens or the loop is told to stop."""
        if self._reopen is None:
            raise error
        self._say(f"{error}; opening it again")
        self._camera.close()
        lost, said = self._camera, str(error)
        self._vitals.lose(said)
        while not self._over:
            pause = PAUSES[min(self._tries, len(PAUSES) - 1)]
            self._tries += 1  # until a frame has come: to open is not yet to see
            until = self._clock() + pause
            while (rest := until - self._clock()) > 0:
                if self._over or self._wait(min(SLICE, rest)):
                    self._over = True
                    return
                if self._camera is not lost:  # `wait` has changed it
                    return
                self._show(f"no camera: {said}")
            try:
                self._camera = self._reopen()
            except CameraError as again:
                if str(again) != said:
                    said = str(again)
                    self._say(said)
                    self._vitals.lose(said)
            else:
                self._say(f"{self._camera.name}: open again")
                self._vitals.reopen(self._camera.name)
                self._newest = self._clock()
                return
