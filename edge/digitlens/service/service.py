"""The live loop without a person: supervised by systemd, reloaded while it runs, mended where it can be.

What a unit must know:

- Exit status 78 (EX_CONFIG): the settings or the model are wrong, and a person must mend them; started again
  it would only fail again. `RestartPreventExitStatus=78` leaves the unit failed, with the line that says why.
  70 (EX_SOFTWARE) is a fault of the program itself; 0 the end of a replay, or SIGTERM.
- READY=1 comes when the first frame has been read. Without a camera the service opens it again and again, and
  has its start extended (EXTEND_TIMEOUT_USEC) for MEND seconds; then systemd's TimeoutStartSec ends it, and a
  fresh process begins. Outlets are open by then: the page says that the camera is missing.
- WATCHDOG=1 comes with frames alone, at most once a second: those that were read, or compared with what was
  read and found to be the same. A lost camera lengthens the watchdog to MEND seconds (WATCHDOG_USEC): it is
  opened again and again, and its first frame puts the watchdog back. So a process that hangs ends within
  WatchdogSec, and one whose driver has gone bad for good after MEND seconds.
- SIGHUP (ExecReload) reads the settings again: RELOADING=1 with MONOTONIC_USEC, then READY=1.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic

import msgspec

from digitlens.cameras.base import Camera
from digitlens.cameras.registry import is_replay, open_camera
from digitlens.config.settings import ReaderSettings, Settings
from digitlens.core.errors import CameraError, DigitLensError
from digitlens.core.frames import Frame
from digitlens.core.preview import Preview
from digitlens.core.stderr import quiet
from digitlens.core.tracking import Event, Tracked
from digitlens.displays.none import NoDisplay
from digitlens.live.latest import LatestFrame
from digitlens.live.loop import Live, patience
from digitlens.live.stats import LoopStats
from digitlens.live.tracker import Tracker
from digitlens.models.classifier import Classifier
from digitlens.outlets.assembly import Outlets
from digitlens.reader import Reader
from digitlens.service import logs
from digitlens.service.notify import Notify
from digitlens.service.signals import Stop
from digitlens.service.startup_memory import release_start

MEND = 600.0
"""Seconds for which a lost camera is opened again in this process, before a fresh one may do better."""
EXTENSION = 30.0
"""Seconds by which a start that has no camera yet is extended, again and again."""
SECOND = 1.0
"""Seconds between two lines of status, and two meals of the watchdog."""

_log = logging.getLogger(__name__)


class MissingCamera:
    """A camera that could not be opened: it is lost from the start."""

    dropped = 0
    preview: Preview | None = None

    def __init__(self, name: str, why: str) -> None:
        self.name, self._why = name, why

    def newest(self, timeout: float) -> Frame | None:
        """There is none.

        Raises:
            CameraError: always.
        """
        raise CameraError(self._why)

    def close(self) -> None:
        """Nothing to close."""


def make_reader(settings: ReaderSettings) -> Reader:
    """The reader that the settings describe.

    Raises:
        ModelError: there is no such model, or it does not fit its card.
        DependencyError: no TFLite interpreter works here.
    """
    with quiet():
        classifier = Classifier.load(settings.model, settings.threads)
        return Reader(classifier, separator=settings.separator, row_network=settings.whole)


class Service:
    """Runs until a signal, or the end of a replay.

    Args:
        load: reads the settings, now and at each reload.
        stop: has the signals.
        notify: tells systemd, or nobody.
        lines: entries go to stdout, too, as JSON.

    Raises:
        SettingsError, ModelError, DependencyError: from the constructor.
    """

    def __init__(self, load: Callable[[], Settings], stop: Stop, notify: Notify, lines: bool = False) -> None:
        self._load, self._stop, self._notify = load, stop, notify
        self._settings = load()
        self._reader = make_reader(self._settings.reader)
        self._vitals, self._latest = LoopStats(), LatestFrame()
        self._outlets = Outlets(self._vitals, self._latest, lines)
        self._outlets.load(self._settings)
        release_start()
        self._began = monotonic()
        self._ready = False
        self._newest = ""
        self._trouble = ""
        self._fed = self._told = self._extended = 0.0
        self._lengthened = False
        self._prepared: list[tuple[Settings, Reader | None] | DigitLensError] = []
        self._preparing: threading.Thread | None = None

    def run(self) -> None:
        """The loop.

        Raises:
            CameraError: a replay that is not endless cannot go on.
        """
        with ExitStack() as opened:
            opened.callback(self._notify.close)
            self._desk = self._outlets.desk(self._settings)
            opened.callback(self._desk.close)
            self._desk.change(self._outlets.openers(self._settings))
            opened.callback(self._latest.close)
            camera = self._first()
            opened.callback(camera.close)
            settings = self._settings.camera
            self._live = Live(
                camera,
                self._reader,
                Tracker(),
                NoDisplay(),
                wait=self._wait,
                # Played again from its start, a replay with a file that cannot be read would never end.
                reopen=None if is_replay(settings.source) and settings.repeat else self._open,
                emit=self._emit,
                say=_log.warning,
                publish=self._publish,
                vitals=self._vitals,
                patience=patience(settings.rate, settings.patience),
            )
            self._live.run()
            self._notify.stopping()
            _log.info(
                "stopping after %d frames, %d of them read, %d dropped",
                self._live.frames, self._live.read, self._vitals.snapshot().dropped,
            )  # fmt: skip

    def _first(self) -> Camera:
        try:
            camera = self._open()
        except CameraError as error:
            source = self._settings.camera.source
            if is_replay(source) and self._settings.camera.repeat:
                raise
            return MissingCamera(source, str(error))
        self._vitals.open(camera.name)
        return camera

    def _open(self) -> Camera:
        return _open(self._settings)

    def _emit(self, event: Event) -> None:
        if event.kind != "gone":
            self._newest = event.text
        before = f", before: {event.before}" if event.before else ""
        _log.info(
            "number %d %s: %s (%.0f %%)%s", event.id, event.kind, event.text, event.confidence * 100, before
        )
        self._desk.take(event, self._live.size)

    def _publish(self, frame: Frame, numbers: tuple[Tracked, ...], size: tuple[int, int]) -> None:
        """A frame has been looked at."""
        self._latest.publish(frame, numbers, size)
        now = monotonic()
        if not self._ready:
            self._ready = True
            self._notify.ready(self._status())
            _log.info("ready: %s gives frames, and the first has been read", self._live.camera.name)
        if self._lengthened:
            self._lengthened = False
            self._notify.allow(self._notify.watchdog)
        if self._notify.watchdog and now - self._fed >= min(SECOND, self._notify.watchdog / 4):
            self._fed = now
            self._notify.alive()
        if now - self._told >= SECOND:
            self._told = now
            self._notify.status(self._status())

    def _status(self) -> str:
        if self._vitals.lost:
            text = f"no camera: {self._vitals.lost}; opening it again"
        else:
            newest = f"newest number {self._newest}" if self._newest else "no number yet"
            text = f"{self._vitals.snapshot().frames_per_second:.1f} frames/s, {newest}"
        return f"{text}; {self._trouble}" if self._trouble else text

    def _wait(self, seconds: float) -> bool:
        """Called by the loop between frames, and while its camera is lost."""
        if self._stop.wait(seconds):
            return True
        if self._stop.reload() and self._preparing is None:
            self._notify.reloading()
            self._preparing = threading.Thread(target=self._prepare, name="digitlens reload", daemon=True)
            self._preparing.start()
        if self._prepared and self._preparing is not None:
            self._preparing.join()
            self._preparing = None
            self._reload(self._prepared.pop())
        self._desk.tend()
        now = monotonic()
        if self._vitals.lost:
            if self._ready and not self._lengthened:
                self._lengthened = True
                self._notify.allow(MEND)
            if now - self._told >= SECOND:
                self._told = now
                self._notify.status(self._status())
        if not self._ready and now - self._began < MEND and now - self._extended >= SECOND:
            self._extended = now
            self._notify.extend(EXTENSION)
        return False

    def _prepare(self) -> None:
        """In a thread of its own, for frames go on being read meanwhile: whatever may be wrong shows here."""
        try:
            settings = self._load()
            changed = settings.reader != self._settings.reader
            self._prepared.append((settings, make_reader(settings.reader) if changed else None))
        except DigitLensError as error:
            self._prepared.append(error)
        except Exception as error:
            _log.exception("the settings could not be read")
            self._prepared.append(DigitLensError(str(error)))

    def _reload(self, prepared: tuple[Settings, Reader | None] | DigitLensError) -> None:
        """Take over what has been prepared, or say why not; between two frames."""
        if isinstance(prepared, DigitLensError):
            self._trouble = f"the settings stay as they were: {prepared}"
            _log.error(self._trouble)
        else:
            self._trouble = ""
            settings, reader = prepared
            before, self._settings = self._settings, settings
            logs.limit(settings.log)
            if reader is not None:
                self._live.change(reader=reader)
            self._outlets.change(before, settings, self._desk)
            self._change_camera(before)
            if not self._trouble:
                _log.info("the settings have been taken over")
        if self._ready:
            self._notify.ready(self._status())

    def _change_camera(self, before: Settings) -> None:
        """Open the camera anew if its settings have changed; on a fault the one before stays."""
        now = self._settings
        self._live.change(patience=patience(now.camera.rate, now.camera.patience))
        same = msgspec.structs.replace(now.camera, patience=before.camera.patience) == before.camera
        if same and _color(now) == _color(before):
            return
        if now.camera.source == before.camera.source and not is_replay(now.camera.source):
            self._live.camera.close()  # no device opens twice
        try:
            camera = _open(now)
        except CameraError as error:
            self._settings = msgspec.structs.replace(now, camera=before.camera)
            self._trouble = f"the camera's settings stay as they were: {error}"
            _log.error(self._trouble)
            if now.camera.source == before.camera.source and not is_replay(now.camera.source):
                self._live.change(camera=MissingCamera(self._live.camera.name, str(error)))
            return
        self._live.change(camera=camera)
        self._vitals.open(camera.name)


def _open(settings: Settings) -> Camera:
    camera = settings.camera
    return open_camera(
        camera.source,
        rate=camera.rate,
        rotation=camera.rotation,
        flip=camera.flip,
        size=(camera.width, camera.height),
        color=_color(settings),
        repeat=camera.repeat,
        hold=camera.hold,
        say=_log.info,
    )


def _color(settings: Settings) -> bool:
    """Whether somebody may look at the picture."""
    return bool(settings.web.listen)
