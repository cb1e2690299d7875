"""digitlens live: the options, the signals, and the parts that are opened and closed around the loop."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from digitlens.cameras.base import Camera
from digitlens.cameras.orientation import FLIPS, ROTATIONS
from digitlens.cameras.registry import is_replay, open_camera
from digitlens.commands.terminal import add_reader_options, reject_number_options, say, value_text
from digitlens.config.settings import ReaderSettings, SheetSettings
from digitlens.core.confidence import percent
from digitlens.core.errors import CameraError, RecordError, SheetError
from digitlens.core.stderr import quiet
from digitlens.core.tracking import Event
from digitlens.displays.base import Display
from digitlens.displays.none import NoDisplay
from digitlens.displays.registry import display_drivers, open_display
from digitlens.images.opencv_log import silence_opencv
from digitlens.live.benchmark import Benchmark, Figures
from digitlens.live.loop import Live, patience
from digitlens.live.observers import LiveObserver
from digitlens.live.recording import Recorder
from digitlens.live.snapshots import Snapshots
from digitlens.live.upright import UprightCamera
from digitlens.models import cards
from digitlens.models.classifier import DEFAULT, Classifier
from digitlens.outlets.entries import Draft
from digitlens.service.live_page import open_page
from digitlens.service.readers import FrameParts, number_parts, sheet_parts
from digitlens.service.signals import Stop
from digitlens.service.startup_memory import StartupMemory

BENCHMARK_RATE = 30.0
"""Rate of the paced benchmark, in frames a second."""
HOLD = 30
"""Time for which a replay shows a picture, in frames: enough for its numbers to become steady."""


def add_options(live: argparse.ArgumentParser) -> None:
    """The options of digitlens live."""
    live.set_defaults(run=run)
    live.add_argument(
        "--camera", default="auto", metavar="auto|picamera|usb:N|URL|PATH",
        help="the Pi's own, /dev/videoN, rtsp:// or http://, or a video, picture or folder to replay "
        "(default: %(default)s)",
    )  # fmt: skip
    live.add_argument(
        "--camera-login", default="", metavar="FILE", help="USER:PASSWORD of a camera in the network"
    )
    live.add_argument(
        "--display", default="auto", choices=("auto", *display_drivers()),
        help="where the picture is shown (default: %(default)s)",
    )  # fmt: skip
    live.add_argument("--full-screen", action="store_true", help="without a window's frame")
    live.add_argument("--json", action="store_true", help="one JSON object an event and line, for programs")
    live.add_argument("--rate", type=_rate, metavar="N", help="frames a second; a replay with 0: all it can")
    live.add_argument(
        "--rotation", type=_rotation, default=0, metavar="auto|0|90|180|270",
        help="degrees clockwise; auto: as the paper lies (default: %(default)s)",
    )  # fmt: skip
    live.add_argument("--flip", default="", choices=list(filter(None, FLIPS)), help="after the rotation")
    live.add_argument(
        "--repeat", type=_count, default=1, metavar="N", help="play a replay N times; 0: always"
    )
    live.add_argument(
        "--hold",
        type=_count,
        metavar="N",
        help="show each picture for N frames (default: 30; 1 to benchmark)",
    )
    live.add_argument(
        "--record", type=Path, metavar="FILE.avi", help="keep the frames, with their readings in FILE.jsonl"
    )
    live.add_argument("--save", type=Path, default=Path(), metavar="DIR", help="where the key s saves to")
    live.add_argument(
        "--model", default=DEFAULT, metavar="NAME|PATH",
        help=f"{', '.join(cards.names())}, or a model file with its card beside it (default: %(default)s)",
    )  # fmt: skip
    live.add_argument(
        "--separator", default="", metavar="SIGN", help="write SIGN where a decimal point or comma stands"
    )
    live.add_argument(
        "--sheet", type=Path, metavar="TEMPLATE.toml",
        help="take sheets of this form, each once, instead of numbers: a row each on stdout",
    )  # fmt: skip
    live.add_argument("--beep", action="store_true", help="a sound for each sheet")
    add_reader_options(live)
    live.add_argument(
        "--every-frame", action="store_true",
        help="read every frame of a moving picture (default: follow numbers that only move)",
    )  # fmt: skip
    live.add_argument("--threads", type=int, default=1, help="of the network (default: %(default)s)")
    live.add_argument("--web", default="", metavar="HOST:PORT", help="open a page to look at, there")
    live.add_argument("--web-token", default="", metavar="FILE", help="the token that it asks of everyone")
    live.add_argument(
        "--benchmark", action="store_true",
        help="replay once as fast as possible and once at 30 frames a second; a JSON object on the last line",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Run the loop until it is asked to stop, or its replay ends."""
    if os.environ.get("DIGITLENS_DEBUG") != "1":
        silence_opencv()
    stop = Stop()
    with stop.signals():
        with quiet():
            classifier = Classifier.load(options.model, options.threads)
            parts = _parts(options, classifier)
        StartupMemory().release()
        if options.benchmark:
            return _benchmark(options, parts, stop)
        _live(options, parts, stop)
    return 0


def _parts(options: argparse.Namespace, classifier: Classifier) -> FrameParts:
    if options.sheet is not None:
        reject_number_options(options, SheetError)
        return sheet_parts(SheetSettings(str(options.sheet), options.beep), classifier)
    settings = ReaderSettings(
        separator=options.separator,
        printed=options.printed,
        turn="auto" if options.turn is None else options.turn,
        signs=options.signs,
        least_confidence=options.least_confidence,
        every_frame=options.every_frame,
    )
    return number_parts(settings, classifier)


def _live(
    options: argparse.Namespace,
    parts: FrameParts,
    stop: Stop,
    rate: float | None = None,
    observers: Sequence[LiveObserver] = (),
) -> tuple[Live, Camera]:
    rate = options.rate if rate is None else rate
    hold = options.hold if options.hold is not None else 1 if options.benchmark else HOLD
    seen = options.display != "none" or options.record is not None or options.save != Path() or options.web
    open_one = partial(
        open_camera, rate=rate, rotation=options.rotation or 0, flip=options.flip, color=bool(seen),
        repeat=options.repeat, hold=hold, login=options.camera_login,
    )  # fmt: skip
    with ExitStack() as opened:
        camera: Camera = open_one(options.camera, say=say)
        turning = [UprightCamera(camera)] if options.rotation is None else []
        camera = turning[0] if turning else camera
        opened.callback(camera.close)
        recorders: list[Recorder] = []
        if options.record is not None:
            if (
                options.record.exists()
                and is_replay(options.camera)
                and options.record.samefile(options.camera)
            ):
                raise RecordError(f"{options.record}: is being replayed; name another file with --record")
            recorders.append(Recorder(options.record))
            opened.callback(recorders[0].close)
        wanted = options.display
        display: Display = NoDisplay()
        if wanted != "none":
            display = open_display(wanted, full_screen=options.full_screen, preview=camera.preview)
        opened.callback(display.close)
        page = open_page(options.web, options.web_token, camera.name, say)
        opened.callback(page.close)

        def reopen() -> Camera:
            # The Pi's own camera that was lost is waited for: its display can show no other.
            again = open_one("picamera" if camera.name == "picamera" else options.camera)
            again = turning[0].follow(again) if turning else again
            display.follow(again.preview)
            return again

        live = Live(
            camera,
            parts.reader,
            parts.make_tracker(),
            display,
            wait=stop.wait,
            observers=(_Printer(options.json), *recorders, *page.observers, *observers, *turning),
            # Played again from its start, a replay with a file that cannot be read would never end.
            reopen=None if is_replay(options.camera) and options.repeat else reopen,
            snapshots=Snapshots(options.save),
            parameters=replace(parts.parameters, patience=patience(rate)),
        )
        if parts.sheets is not None:
            parts.sheets.connect(partial(_print_sheet, options.json), lambda most: [], live.say)
        live.run()
    return live, camera


def _benchmark(options: argparse.Namespace, parts: FrameParts, stop: Stop) -> int:
    if not is_replay(options.camera):
        raise CameraError(f"{options.camera}: only files can be replayed: name one with --camera")
    figures: dict[str, Figures] = {}
    for name, rate in (("fast", 0.0), ("paced", BENCHMARK_RATE)):
        if stop.wait(0.0):
            break
        benchmark = Benchmark()
        live, camera = _live(options, parts, stop, rate, (benchmark,))
        figures[name] = benchmark.figures() | {"read": live.read, "dropped": camera.dropped}
        options.record = None  # is there now
    sys.stdout.buffer.write(msgspec.json.encode(figures) + b"\n")
    return 0


class _Printer(LiveObserver):
    """Events to stdout, for people or as JSON; messages to stderr."""

    def __init__(self, as_json: bool) -> None:
        self._print = _print_json if as_json else _print_text

    def event(self, event: Event, size: tuple[int, int]) -> None:
        self._print(event)

    def message(self, line: str) -> None:
        say(line)


def _print_json(event: Event) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def _print_text(event: Event) -> None:
    before = f"   before: {event.before}" if event.before else ""
    clock = (
        f"{datetime.fromtimestamp(event.time, UTC).astimezone():%H:%M:%S}"
        if event.is_since_1970
        else f"{event.time:.2f} s"
    )
    sys.stdout.write(f"{clock:>12}   {event.kind:<8}   {event.text}   {percent(event.confidence)}{before}\n")
    sys.stdout.flush()


def _print_sheet(as_json: bool, draft: Draft) -> None:
    """A row to stdout: as JSON without what says nothing, or for people."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(draft) + b"\n")
        sys.stdout.buffer.flush()
        return
    fields = draft.sheet.fields if draft.sheet is not None else {}
    values = [f"{name} {value_text(field.value)}" for name, field in fields.items() if field.state != "empty"]
    note = f"   {draft.reason}" if draft.reason else ""
    sys.stdout.write(f"{draft.text}: {', '.join(values)}{note}\n")
    sys.stdout.flush()


def _rotation(text: str) -> int | None:
    if text == "auto":
        return None
    if text not in map(str, ROTATIONS):
        raise argparse.ArgumentTypeError(f"take auto, {', '.join(map(str, ROTATIONS))}")
    return int(text)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= 1000:
        raise argparse.ArgumentTypeError("take 0 to 1000 frames a second")
    return rate


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("take 0 or more")
    return count
