"""What is missing on this machine, in plain words: `digitlens doctor`.

Each check says how it is, and whether that is well, to be mended and how, or not to be told here. What reads
the machine's files does so below a root, which in a test is another folder.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from digitlens.cameras.registry import is_replay, open_camera
from digitlens.cameras.time_limit import within
from digitlens.config.settings import Settings
from digitlens.core.errors import CameraError, CameraStalled, DependencyError, DigitLensError
from digitlens.models import cards
from digitlens.models.classifier import Classifier
from digitlens.models.interpreter import RUNTIMES, imported
from digitlens.outlets import registry
from digitlens.outlets.assembly import preflight
from digitlens.rows.recognizer import RowRecognizer
from digitlens.service import machine
from digitlens.service.machine import Finding

FRAME = 15.0
"""Seconds that a camera has to open and to give a frame."""
MODULES = {"numpy": "numpy", "cv2": "opencv-python-headless", "PIL": "pillow", "msgspec": "msgspec"}
"""The modules that are always needed, and who brings each."""


def examine(settings: Settings | None, complaint: str, file: Path, root: Path = Path("/")) -> list[Finding]:
    """All checks; `settings` is None where the file is wrong, which `complaint` says."""
    told = settings or registry.default_settings()
    unit = machine.unit()
    return [
        settings_of(settings, complaint, file),
        *(attempt(name, call) for name, call in (
            ("python", python),
            ("interpreter", interpreter),
            ("libraries", libraries),
            ("model", lambda: model(told.reader.model)),
            ("rows", rows),
            ("camera", lambda: camera(told, unit)),
            ("groups", lambda: machine.groups(root)),
            ("screen", lambda: machine.screen(root, os.environ)),
            ("memory", lambda: machine.memory(root)),
            ("disk", lambda: machine.disk(told, root)),
            ("outlets", lambda: outlets(told)),
            ("temperature", lambda: machine.temperature(root)),
            ("throttling", machine.throttling),
            ("clock", lambda: machine.clock(root, datetime.now(UTC).year)),
        )),
        unit,
    ]  # fmt: skip


def attempt(name: str, call: Callable[[], Finding]) -> Finding:
    """A check whose own fault is not to hide the others."""
    try:
        return call()
    except Exception as error:
        return Finding(name, "unknown", f"{type(error).__name__}: {error}")


def settings_of(settings: Settings | None, complaint: str, file: Path) -> Finding:
    """The settings file."""
    if settings is None:
        return Finding("settings", "mend", complaint)
    there = f"{file}" if file.exists() else f"the defaults; there is no {file}"
    return Finding("settings", "well", there)


def python() -> Finding:
    """The interpreter of Python."""
    return Finding("python", "well", f"{'.'.join(map(str, sys.version_info[:3]))}, {os.uname().machine}")


def interpreter() -> Finding:
    """Which TFLite runs the networks."""
    tried = []
    for name, module in RUNTIMES.items():
        package = {"litert": "ai-edge-litert"}.get(name, name)
        if find_spec(module.partition(".")[0]) is None:
            continue
        try:
            imported(name)
        except DependencyError as error:
            tried.append(str(error))
            continue
        except Exception as error:
            tried.append(f"{name}: {error}")
            continue
        return Finding("interpreter", "well", f"{name} {version(package)}")
    why = "; ".join(tried) or "none is installed"
    return Finding("interpreter", "mend", f"{why}: pip install ai-edge-litert")


def libraries() -> Finding:
    """The packages that are always needed, and whether they go together."""
    found, missing = [], []
    for module, package in MODULES.items():
        try:
            found.append(f"{package} {import_module(module).__version__}")
        except Exception as error:
            missing.append(f"{package} ({error})")
    if missing:
        return Finding(
            "libraries", "mend", f"not to be imported: {', '.join(missing)}: install digitlens again"
        )
    if find_spec("picamera2") is not None:
        try:
            import_module("simplejpeg")
        except Exception as error:  # built for another NumPy: picamera2 would fail with the same
            mend = "pip install 'numpy<2' in digitlens's environment"
            return Finding("libraries", "mend", f"picamera2 and numpy {np.__version__}: {error}: {mend}")
    return Finding("libraries", "well", ", ".join(found))


def version(package: str) -> str:
    """An installed package's version; empty where it cannot be told."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def model(name: str) -> Finding:
    """The network that reads digits, its card, and whether it answers."""
    try:
        classifier = Classifier.load(name)
        chances = classifier.probabilities(np.zeros((1, 28, 28), np.uint8))
    except DigitLensError as error:
        return Finding("model", "mend", f"{error}; or install digitlens again")
    card = classifier.card
    if chances.shape != (1, 10) or not np.isfinite(chances).all():
        return Finding("model", "mend", f"{card.name} gives no probabilities: install digitlens again")
    return Finding(
        "model",
        "well",
        f"{card.name}, {card.quantization}, {card.accuracy.fraction:.2%} of {card.accuracy.set}",
    )


def rows() -> Finding:
    """The network that reads rows."""
    if not cards.names(rows=True):
        return Finding("rows", "mend", "the network that reads rows is missing: install digitlens again")
    try:
        RowRecognizer.load()
    except DigitLensError as error:
        return Finding("rows", "mend", f"{error}; or install digitlens again")
    return Finding("rows", "well", ", ".join(cards.names(rows=True)))


def camera(settings: Settings, unit: Finding) -> Finding:
    """The camera that is set, opened, and a frame of it."""
    source = settings.camera.source
    if unit.state == "well" and not is_replay(source):
        return Finding("camera", "well", f"the service has it: {unit.said}")
    said: list[str] = []

    def look() -> tuple[str, tuple[int, int]]:
        size = settings.camera.width, settings.camera.height
        found = open_camera(source, size=size, color=False, say=said.append)
        try:
            while True:
                try:
                    frame = found.newest(1.0)
                    break
                except CameraStalled:
                    continue
        finally:
            found.close()
        if frame is None:
            raise CameraError(f"{found.name}: gives no frames")
        return found.name, (frame.gray.shape[1], frame.gray.shape[0])

    try:
        name, (width, height) = within(FRAME, f"{source}: no frame within {FRAME:.0f} s", look)
    except CameraError as error:
        return Finding("camera", "mend", f"{error}")
    return Finding("camera", "well", f"{name} gives frames of {width} x {height}")


def outlets(settings: Settings) -> Finding:
    """Whether the files that outlets name can be read."""
    wrong = preflight(settings)
    if wrong:
        return Finding("outlets", "mend", "; ".join(wrong))
    names = [*(["journal"] if settings.journal.file else []), *registry.wanted(settings)]
    return Finding("outlets", "well", ", ".join(names) or "none is set")
