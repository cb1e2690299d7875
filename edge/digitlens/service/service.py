"""The live loop as a systemd service: supervised, reloaded while it runs, and recovering where it can.

For the unit file:

- Exit status 78 (EX_CONFIG): the settings or the model are wrong, and a restart would fail again until a
  person fixes them. `RestartPreventExitStatus=78` leaves the unit failed, with the line that says why.
  70 (EX_SOFTWARE) is a fault of the program itself; 0 the end of a replay, or SIGTERM.
- READY=1 is sent once the first frame has been read. Without a camera the service keeps reopening it and
  extends its start (EXTEND_TIMEOUT_USEC) for RECOVERY_TIME; then systemd's TimeoutStartSec ends it, and a
  fresh process begins. Outlets are open by then: the page shows that the camera is missing.
- WATCHDOG=1 is sent for frames alone, at most once a second: frames that were read, or compared with the
  last one read and found unchanged. While the camera is lost, the watchdog waits RECOVERY_TIME
  (WATCHDOG_USEC); the first frame resets it. So a process that hangs is ended within WatchdogSec, and one
  whose driver does not recover after RECOVERY_TIME.
- SIGHUP (ExecReload) reads the settings again: RELOADING=1 with MONOTONIC_USEC, then READY=1.
"""

import gc
import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from time import monotonic

import msgspec

from digitlens.cameras.base import Camera
from digitlens.cameras.registry import is_replay, open_camera
from digitlens.config.settings import Settings
from digitlens.core.confidence import percent
from digitlens.core.errors import CameraError, DigitLensError, OutletError
from digitlens.core.frames import Frame
from digitlens.core.preview import Preview
from digitlens.core.readings import Reading
from digitlens.core.tracking import Event, Tracked
from digitlens.displays.none import NoDisplay
from digitlens.live.latest import LatestFrame
from digitlens.live.loop import Live, patience
from digitlens.live.observers import LiveObserver
from digitlens.live.stats import LoopStats
from digitlens.outlets import registry
from digitlens.outlets.assembly import OutletAssembly
from digitlens.outlets.entries import Draft
from digitlens.service import logs
from digitlens.service.notify import Notify
from digitlens.service.readers import FrameParts, make_reader
from digitlens.service.signals import Stop
from digitlens.service.startup_memory import StartupMemory, trim_heap

RECOVERY_TIME = 600.0
"""Time for which this process reopens a lost camera before a fresh process has to, seconds."""
START_EXTENSION = 30.0
"""Time by which each request extends a start without a camera, seconds."""
STATUS_INTERVAL = 1.0
"""Shortest time between two status lines, and between two watchdog pings, seconds."""
TRIM_INTERVAL = 10.0
"""Time after which the heap's free pages are given back, seconds: it takes some milliseconds."""

_log = logging.getLogger(__name__)


class MissingCamera:
    """Stands in for a camera that could not be opened: it is lost from the start."""

    dropped = 0
    preview: Preview | None = None

    def __init__(self, name: str, why: str) -> None:
        self.name, self._why = name, why

    def newest(self, timeout: float) -> Frame | None:
        """No frame, ever.

        Raises:
            CameraError: always.
        """
        raise CameraError(self._why)

    def close(self) -> None:
        """Nothing to close."""


class Service(LiveObserver):
    """Runs until a signal, or the end of a replay; observes its own loop.

    Args:
        load: reads the settings, now and at each reload.
        stop: receives the signals.
        notify: the connection to systemd, or none.

    Raises:
        SettingsError, ModelError, DependencyError: from the constructor.
    """

    def __init__(self, load: Callable[[], Settings], stop: Stop, notify: Notify) -> None:
        self._load, self._stop, self._notify = load, stop, notify
        self._settings = load()
        self._parts = make_reader(self._settings)
        self._stats, self._latest = LoopStats(), LatestFrame()
        self._outlets = OutletAssembly(self._stats, self._latest)
        self._outlets.load(self._settings)
        self._startup_memory = StartupMemory()
        self._startup_memory.release()
        self._started_at = self._trimmed_at = monotonic()
        self._ready = False
        self._newest = ""
        self._problem = ""
        self._pinged_at = self._status_at = self._extended_at = 0.0
        self._watchdog_extended = False
        self._prepared: list[tuple[Settings, FrameParts | None] | DigitLensError] = []
        self._preparing: threading.Thread | None = None

    def run(self) -> None:
        """Run the live loop.

        Raises:
            CameraError: a replay that is not endless cannot go on.
        """
        with ExitStack() as opened:
            opened.callback(self._notify.close)
            self._dispatcher = self._outlets.open_dispatcher(self._settings)
            opened.callback(self._dispatcher.close)
            self._dispatcher.change(self._outlets.openers(self._settings))
            opened.callback(self._latest.close)
            camera = self._first_camera()
            opened.callback(camera.close)
            self._startup_memory.release()  # of the outlets, too
            settings = self._settings.camera
            self._live = Live(
                camera,
                self._parts.reader,
                self._parts.make_tracker(),
                NoDisplay(),
                wait=self._wait,
                observers=(self._stats, self._latest, self),
                # Played again from its start, a replay with a file that cannot be read would never end.
                reopen=None if is_replay(settings.source) and settings.repeat else self._open,
                parameters=replace(
                    self._parts.parameters, patience=patience(settings.rate, settings.patience)
                ),
            )
            self._watch(self._parts)
            self._live.run()
            self._notify.stopping()
            _log.info(
                "stopping after %d frames, %d read, %d dropped",
                self._live.frames, self._live.read, self._stats.snapshot().dropped,
            )  # fmt: skip

    def _watch(self, parts: FrameParts) -> None:
        """Have sheets that are taken written, and said."""
        if parts.sheets is not None:
            parts.sheets.connect(self._take, self._outlets.sheets, _log.info)

    def _take(self, draft: Draft) -> None:
        self._newest = draft.text
        _log.debug("%s: %s", draft.text, draft.reason or "sure")
        self._dispatcher.add_draft(draft)

    def _first_camera(self) -> Camera:
        try:
            camera = self._open()
        except CameraError as error:
            source = self._settings.camera.source
            if is_replay(source) and self._settings.camera.repeat:
                raise
            return MissingCamera(source, str(error))
        self._stats.camera_opened(camera.name)
        return camera

    def _open(self) -> Camera:
        return _open(self._settings)

    def message(self, line: str) -> None:
        """See LiveObserver."""
        _log.warning(line)

    def event(self, event: Event, size: tuple[int, int]) -> None:
        """See LiveObserver."""
        if event.kind != "gone":
            self._newest = event.text
        before = f", before: {event.before}" if event.before else ""
        # Not by default: systemd's journal would keep every reading, whatever is deleted from ours.
        _log.debug(
            "number %d %s: %s (%s)%s", event.id, event.kind, event.text, percent(event.confidence), before
        )
        self._dispatcher.add(event, size)

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        """See LiveObserver."""
        self._dispatcher.write()
        now = monotonic()
        if not self._ready:
            self._ready = True
            self._startup_memory.release()
            self._notify.ready(self._status())
            _log.info("ready: %s gives frames, and the first has been read", self._live.camera.name)
        if self._watchdog_extended:
            self._watchdog_extended = False
            self._notify.set_watchdog(self._notify.watchdog)
        if self._notify.watchdog and now - self._pinged_at >= min(STATUS_INTERVAL, self._notify.watchdog / 4):
            self._pinged_at = now
            self._notify.alive()
        if now - self._status_at >= STATUS_INTERVAL:
            self._status_at = now
            self._notify.status(self._status())
        if now - self._trimmed_at >= TRIM_INTERVAL:
            self._trimmed_at = now
            trim_heap()

    def _status(self) -> str:
        if self._stats.lost:
            text = f"no camera: {self._stats.lost}; opening it again"
        else:
            newest = f"newest number {self._newest}" if self._newest else "no number yet"
            text = f"{self._stats.snapshot().frames_per_second:.1f} frames/s, {newest}"
        return f"{text}; {self._problem}" if self._problem else text

    def _wait(self, seconds: float) -> bool:
        """Whether to stop; the loop calls this between frames, and while its camera is lost."""
        if self._stop.wait(seconds):
            return True
        if self._preparing is None and self._stop.reload():  # a signal that comes meanwhile waits
            self._notify.reloading()
            self._preparing = threading.Thread(target=self._prepare, name="digitlens reload", daemon=True)
            self._preparing.start()
        if self._prepared and self._preparing is not None:
            self._preparing.join()
            self._preparing = None
            self._reload(self._prepared.pop())
        self._dispatcher.tend()
        now = monotonic()
        if self._stats.lost:
            if self._ready and not self._watchdog_extended:
                self._watchdog_extended = True
                self._notify.set_watchdog(RECOVERY_TIME)
            if now - self._status_at >= STATUS_INTERVAL:
                self._status_at = now
                self._notify.status(self._status())
        if (
            not self._ready
            and now - self._started_at < RECOVERY_TIME
            and now - self._extended_at >= STATUS_INTERVAL
        ):
            self._extended_at = now
            self._notify.extend(START_EXTENSION)
        return False

    def _prepare(self) -> None:
        """Read the settings and make the reader in a thread of its own, while frames are still being read."""
        try:
            settings = self._load()
            if problems := self._outlets.problems(settings):
                raise OutletError("; ".join(problems))
            changed = (settings.reader, settings.sheet) != (self._settings.reader, self._settings.sheet)
            self._prepared.append((settings, make_reader(settings) if changed else None))
        except DigitLensError as error:
            self._prepared.append(error)
        except Exception as error:
            _log.exception("the settings could not be read")
            self._prepared.append(DigitLensError(str(error)))

    def _reload(self, prepared: tuple[Settings, FrameParts | None] | DigitLensError) -> None:
        """Apply the prepared settings between two frames, or log why not."""
        if isinstance(prepared, DigitLensError):
            self._problem = f"the settings stay as they were: {prepared}"
            _log.error(self._problem)
        else:
            self._problem = ""
            settings, parts = prepared
            before, self._settings = self._settings, settings
            logs.limit(settings.log)
            if parts is not None:
                same = (parts.sheets is None) == (self._parts.sheets is None)
                tracker = None if same else parts.make_tracker()  # else all numbers would appear once more
                self._live.change(reader=parts.reader, tracker=tracker, parameters=parts.parameters)
                self._parts = parts
                gc.collect()  # the networks of the reader before, some 20 MiB, which refer to themselves
                self._watch(parts)
            self._outlets.change(before, settings, self._dispatcher)
            self._change_camera(before)
            if not self._problem:
                _log.info("the settings have been taken over")
        if self._ready:
            self._notify.ready(self._status())

    def _change_camera(self, before: Settings) -> None:
        """Reopen the camera if its settings have changed; if that fails, keep the old one."""
        now = self._settings
        self._live.change(patience=patience(now.camera.rate, now.camera.patience))
        same = msgspec.structs.replace(now.camera, patience=before.camera.patience) == before.camera
        if same and _color(now) == _color(before):
            return
        if now.camera.source == before.camera.source and not is_replay(now.camera.source):
            self._live.camera.close()  # a device cannot be opened twice
        try:
            camera = _open(now)
        except CameraError as error:
            self._settings = msgspec.structs.replace(now, camera=before.camera)
            self._problem = f"the camera's settings stay as they were: {error}"
            _log.error(self._problem)
            if now.camera.source == before.camera.source and not is_replay(now.camera.source):
                self._live.change(camera=MissingCamera(self._live.camera.name, str(error)))
            return
        self._live.change(camera=camera)
        self._stats.camera_opened(camera.name)


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
        login=camera.login_file,
        say=_log.info,
    )


def _color(settings: Settings) -> bool:
    """Whether pictures need color: for a page."""
    return any(outlet.shows_picture for outlet in registry.wanted(settings).values())
