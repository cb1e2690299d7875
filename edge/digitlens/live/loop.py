"""The live loop: camera -> reading -> steady numbers -> display and observers, until it is asked to stop."""

from collections.abc import Callable, Sequence
from time import monotonic, perf_counter, process_time

from digitlens.cameras.base import Camera
from digitlens.config.parameters.tracking import ChangeParameters, LoopParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.backoff import Backoff
from digitlens.core.errors import CameraError, CameraStalled, DigitLensError, DisplayError, RecordError
from digitlens.core.frames import Frame
from digitlens.core.readings import Reading, resized
from digitlens.core.tracking import Tracked
from digitlens.displays.base import Display, Key
from digitlens.displays.none import NoDisplay
from digitlens.live.changes import ChangeDetector
from digitlens.live.following import Follower, Motion
from digitlens.live.frame_reading import FrameReader, FrameTracker
from digitlens.live.moved import crosses_edge, digit_boxes, moved_numbers, moved_reading, resized_map
from digitlens.live.observers import LiveObserver
from digitlens.live.snapshots import Snapshots
from digitlens.reader import Reader


def patience(rate: float | None, least: float = LoopParameters.patience) -> float:
    """Seconds without a frame after which a camera is lost: at least three frames if the rate is known."""
    return max(least, 3 / rate) if rate else least


def _is_upright(size: tuple[int, int]) -> bool:
    """Whether a picture of this width and height is higher than wide."""
    return size[1] > size[0]


def _size(gray: Gray) -> tuple[int, int]:
    """Width and height."""
    return gray.shape[1], gray.shape[0]


class Live:
    """Runs until the replay ends, `wait` returns True, or a key asks to quit.

    Args:
        camera: open; it is closed at the end.
        display: shows every frame; left open.
        wait: waits so many seconds, 0 included, and returns whether to stop.
        observers: are called in this order.
        reopen: opens the camera again when it is lost; None lets its error end the loop.
        snapshots: where the keys save to.
        clock: monotonic seconds.
        parameters: of the loop.
        changes: of the change detection.
    """

    def __init__(
        self,
        camera: Camera,
        reader: FrameReader,
        tracker: FrameTracker,
        display: Display,
        *,
        wait: Callable[[float], bool],
        observers: Sequence[LiveObserver] = (),
        reopen: Callable[[], Camera] | None = None,
        snapshots: Snapshots | None = None,
        clock: Callable[[], float] = monotonic,
        parameters: LoopParameters | None = None,
        changes: ChangeParameters | None = None,
    ) -> None:
        self.frames = 0
        self.read = 0
        self.unusable = 0
        self._camera, self._reader, self._tracker, self._display = camera, reader, tracker, display
        self._wait, self._reopen, self._clock = wait, reopen, clock
        self._observers = list(observers)
        self._snapshots = snapshots or Snapshots()
        self._parameters = parameters or LoopParameters()
        self._patience = self._parameters.patience
        self._backoff = Backoff(self._parameters.reopen_pauses)
        self._changes = ChangeDetector(changes)
        self._follower = Follower(self._parameters.following)
        self._confirmed = 0  # frames read of this picture, which has not changed
        self._reused = 0  # frames since the last that was read
        self._frame: Frame | None = None  # as shown
        self._reading: Reading | None = None  # of the frame that was read
        self._size = (1, 1)  # of the pixels that all boxes are in: those of the first frame
        self._tracked: tuple[Tracked, ...] = ()  # where they were in the frame that was read
        self._numbers: tuple[Tracked, ...] = ()  # where they are
        self._frozen = False
        self._notice, self._noticed = "", 0.0  # a line for the screen, and when it came
        self._over = False
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
                    frame = self._camera.newest(self._parameters.poll_interval)
                except CameraError as error:
                    stalled = isinstance(error, CameraStalled)
                    if stalled and self._clock() - self._newest < self._patience:
                        self._show()
                    else:
                        self._lost(error)
                    continue
                if frame is None:
                    return
                self._stage("camera", (process_time() - before) * 1000)
                self._next(frame)
                for observer in self._observers:
                    observer.captured(frame.taken, self._camera.dropped + self.unusable, self.read)
        finally:
            self._camera.close()

    @property
    def camera(self) -> Camera:
        """The one whose frames are read now."""
        return self._camera

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture that all boxes are in."""
        return self._size

    def change(
        self,
        *,
        reader: FrameReader | None = None,
        tracker: FrameTracker | None = None,
        camera: Camera | None = None,
        patience: float | None = None,
        parameters: LoopParameters | None = None,
    ) -> None:
        """Go on with another from the next frame on; called by `wait`, between two frames."""
        if reader is not None:
            self._reader = reader
            self._reading = None  # of the reader before
        if tracker is not None:
            self._tracker, self._numbers = tracker, ()
        self._parameters = parameters or self._parameters
        if camera is not None:
            self._camera.close()
            self._camera = camera
            self._newest = self._clock()
        self._patience = patience or self._patience

    def _next(self, frame: Frame) -> None:
        started = perf_counter()
        now = self._clock()
        interval, self._newest = now - self._newest, now
        self._backoff.reset()  # only now: to open is not yet to see
        # The first interval is the camera's start; the mean of about the last ten after.
        self._interval = self._interval * 0.9 + interval * 0.1 if self._interval else interval
        self.frames += 1
        if not self._frozen:
            if frame.gray.ndim != 2 or not frame.gray.size:
                self.unusable += 1
                return
            self._frame = frame
            reading = self._read(frame)
            self._publish(frame, reading)
        shown = perf_counter()
        self._show()
        ended = perf_counter()
        self._stage("show", (ended - shown) * 1000)
        self._stage("total", (ended - started) * 1000)

    def _read(self, frame: Frame) -> Reading:
        """The reading of the frame: the one before, where a confirmed picture stands still or only moved."""
        started = perf_counter()
        still = not self._changes.changed(frame.gray)
        motion = None
        if not still and self._parameters.following.enabled and self._reading is not None:
            motion = self._follower.look(frame.gray)
        self._stage("compare", (perf_counter() - started) * 1000)
        matrix = None if motion is None else resized_map(motion.matrix, _size(frame.gray), self._size)
        if self._reading is not None and self._stands(still, motion, matrix):
            self._reused += 1
            self._numbers = moved_numbers(self._tracked, matrix)
            return moved_reading(self._reading, matrix, frame.time)
        reading = self._reader.read(frame.gray, self._camera.name, frame.time)
        self._changes.keep()
        if self._parameters.following.enabled:
            self._follower.keep(frame.gray, digit_boxes(reading))
        same = still or (motion is not None and not motion.changed)
        self._confirmed = self._confirmed + 1 if same else 1
        self._reused = 0
        self.read += 1
        if self._size == (1, 1) or _is_upright(self._size) != _is_upright(reading.size):
            self._size = reading.size  # also where the picture was turned
        # A camera that changes its resolution shows the same sheet: its numbers stay where they were.
        self._reading = reading = resized(reading, self._size)
        tracked = perf_counter()
        if matrix is not None:
            self._tracker.follow(matrix)
        for event in self._tracker.update(reading, frame.gray):
            for observer in self._observers:
                observer.event(event, self._size)
        self._numbers = self._tracked = self._tracker.numbers
        for name, milliseconds in reading.milliseconds.items():
            self._stage("read" if name == "total" else name, milliseconds)
        self._stage("track", (perf_counter() - tracked) * 1000)
        return reading

    def _stands(self, still: bool, motion: Motion | None, matrix: Doubles | None) -> bool:
        """Whether the reading of the frame before is that of this one, moved along by a map (2, 3)."""
        parameters = self._parameters
        doubtful = self._tracker.is_in_doubt
        if self._confirmed < (parameters.unsteady_confirm_frames if doubtful else parameters.confirm_frames):
            return False
        if still:
            return self._reused < parameters.refresh_frames - 1
        following = parameters.following
        most = following.doubtful_refresh_frames if doubtful else following.refresh_frames
        if motion is None or matrix is None or motion.changed or motion.grown or self._reused >= most - 1:
            return False
        return not crosses_edge(self._tracked, matrix, self._size)

    def _publish(self, frame: Frame, reading: Reading) -> None:
        for observer in tuple(self._observers):
            try:
                observer.frame(frame, reading, self._numbers, self._size)
            except RecordError as error:
                self._observers.remove(observer)
                self._message(str(error))

    def _stage(self, name: str, milliseconds: float) -> None:
        for observer in self._observers:
            observer.stage(name, milliseconds)

    def _message(self, line: str) -> None:
        for observer in self._observers:
            observer.message(line)

    def _show(self, status: str = "") -> None:
        """Show the newest frame, and do what the keys ask for."""
        if self._frame is None:
            return
        try:
            keys = self._display.show(
                self._frame.image, self._numbers, self._size, status or self._status(self._frame)
            )
        except DisplayError as error:
            self._message(f"{error}; going on without a display")
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
                    path = self._snapshots.save(self._frame.image, self._reading, self._numbers)
                elif key == "stages" and isinstance(self._reader, Reader):
                    path = self._snapshots.stages(self._frame.gray, self._reader)
                elif key == "stages":
                    self.say("sheets have no pictures of stages")
                    return
                else:
                    return
                self.say(f"saved {path}")
            except DigitLensError as error:
                self.say(str(error))

    def say(self, line: str) -> None:
        """A message that also stands on the screen for a while."""
        self._message(line)
        self._notice, self._noticed = line, self._clock()

    def _status(self, frame: Frame) -> str:
        milliseconds = self._reading.milliseconds["total"] if self._reading else 0.0
        text = (
            f"{1 / self._interval if self._interval else 0:.0f} frames/s   read in {milliseconds:.0f} ms   "
            f"{max(0.0, self._clock() - frame.taken) * 1000:.0f} ms old"
        )
        if self._notice and self._clock() - self._noticed < self._parameters.notice_time:
            text = self._notice
        return f"frozen   {text}" if self._frozen else text

    def _lost(self, error: CameraError) -> None:
        """Try to open the camera until it opens or the loop is asked to stop."""
        if self._reopen is None:
            raise error
        self._message(f"{error}; opening it again")
        self._camera.close()
        lost, why = self._camera, str(error)
        self._camera_lost(why)
        while not self._over:
            until = self._clock() + self._backoff.pause()
            while (rest := until - self._clock()) > 0:
                if self._over or self._wait(min(self._parameters.poll_interval, rest)):
                    self._over = True
                    return
                if self._camera is not lost:  # `wait` has changed it
                    return
                self._show(f"no camera: {why}")
            try:
                self._camera = self._reopen()
            except CameraError as again:
                if str(again) != why:
                    why = str(again)
                    self._message(why)
                    self._camera_lost(why)
            else:
                self._message(f"{self._camera.name}: open again")
                for observer in self._observers:
                    observer.camera_reopened(self._camera.name)
                self._newest = self._clock()
                return

    def _camera_lost(self, why: str) -> None:
        for observer in self._observers:
            observer.camera_lost(why)
