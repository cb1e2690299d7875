"""The checks of `digitlens doctor`: whether this machine has all that digitlens needs.

Each Finding is ok, says how to fix it, or is unknown here. The machine's files are read below a root, which
tests replace.
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
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.config.settings import Settings
from digitlens.core.errors import CameraError, CameraStalled, DependencyError, DigitLensError
from digitlens.models import cards
from digitlens.models.classifier import Classifier
from digitlens.models.interpreter import RUNTIMES, imported
from digitlens.models.perceptron import Perceptron
from digitlens.numbers.scores import NAMES, Scores
from digitlens.outlets import registry
from digitlens.outlets.assembly import preflight, warnings
from digitlens.paper.network import DEFAULT as INK
from digitlens.paper.network import InkNetwork
from digitlens.rows.hypothesis_scores import DEFAULT_MODEL as HYPOTHESES
from digitlens.rows.hypothesis_scores import HypothesisScores
from digitlens.rows.recognizer import RowRecognizer
from digitlens.service import machine
from digitlens.service.machine import Finding
from digitlens.sheets import marks
from digitlens.sheets.probabilities import CELL_DIGITS, FEATURES
from digitlens.sheets.probabilities import DEFAULT_MODEL as CELLS

CAMERA_TIMEOUT = 15.0
"""Time that a camera has to open and to give a frame, seconds."""
MODULES = {"numpy": "numpy", "cv2": "opencv-python-headless", "PIL": "pillow", "msgspec": "msgspec"}
"""Modules that are always needed -> the package that provides each."""


def examine(settings: Settings | None, complaint: str, file: Path, root: Path = Path("/")) -> list[Finding]:
    """Run all checks; `settings` is None where the file is wrong, as `complaint` says."""
    chosen = settings or registry.default_settings()
    unit = machine.unit()
    return [
        settings_of(settings, complaint, file),
        *(attempt(name, call) for name, call in (
            ("python", python),
            ("interpreter", interpreter),
            ("libraries", libraries),
            ("model", lambda: model(chosen.reader.model)),
            ("ink", ink),
            ("rows", rows),
            ("numbers", numbers),
            ("sheets", sheets),
            ("camera", lambda: camera(chosen, unit)),
            ("groups", lambda: machine.groups(root)),
            ("screen", lambda: machine.screen(root, os.environ)),
            ("memory", lambda: machine.memory(root)),
            ("disk", lambda: machine.disk(chosen, root)),
            ("outlets", lambda: outlets(chosen)),
            ("temperature", lambda: machine.temperature(root)),
            ("throttling", machine.throttling),
            ("clock", lambda: machine.clock(root, datetime.now(UTC).year)),
        )),
        unit,
    ]  # fmt: skip


def attempt(name: str, call: Callable[[], Finding]) -> Finding:
    """Run a check; its own fault must not hide the others."""
    try:
        return call()
    except Exception as error:
        return Finding(name, "unknown", f"{type(error).__name__}: {error}")


def settings_of(settings: Settings | None, complaint: str, file: Path) -> Finding:
    """The settings file."""
    if settings is None:
        return Finding("settings", "fix", complaint)
    there = f"{file}" if file.exists() else f"the defaults; there is no {file}"
    return Finding("settings", "ok", there)


def python() -> Finding:
    """The version of Python, and the machine's architecture."""
    return Finding("python", "ok", f"{'.'.join(map(str, sys.version_info[:3]))}, {os.uname().machine}")


def interpreter() -> Finding:
    """The TFLite interpreter that runs the networks."""
    failures = []
    for name, module in RUNTIMES.items():
        package = {"litert": "ai-edge-litert"}.get(name, name)
        if find_spec(module.partition(".")[0]) is None:
            continue
        try:
            imported(name)
        except DependencyError as error:
            failures.append(str(error))
            continue
        except Exception as error:
            failures.append(f"{name}: {error}")
            continue
        return Finding("interpreter", "ok", f"{name} {version(package)}")
    reasons = "; ".join(failures) or "none is installed"
    return Finding("interpreter", "fix", f"{reasons}: pip install ai-edge-litert")


def libraries() -> Finding:
    """The packages that are always needed, and whether they fit together."""
    found, missing = [], []
    for module, package in MODULES.items():
        try:
            found.append(f"{package} {import_module(module).__version__}")
        except Exception as error:
            missing.append(f"{package} ({error})")
    if missing:
        return Finding(
            "libraries", "fix", f"not to be imported: {', '.join(missing)}: install digitlens again"
        )
    if find_spec("picamera2") is not None:
        try:
            import_module("simplejpeg")
        except Exception as error:  # built for another NumPy: picamera2 would fail with the same
            fix = "pip install 'numpy<2' in digitlens's environment"
            return Finding("libraries", "fix", f"picamera2 and numpy {np.__version__}: {error}: {fix}")
    return Finding("libraries", "ok", ", ".join(found))


def version(package: str) -> str:
    """An installed package's version; empty where it has none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def model(name: str) -> Finding:
    """The digit network: its card, and whether it gives probabilities."""
    try:
        classifier = Classifier.load(name)
        probabilities = classifier.probabilities(np.zeros((1, 28, 28), np.uint8))
    except DigitLensError as error:
        return Finding("model", "fix", f"{error}; or install digitlens again")
    card = classifier.card
    if probabilities.shape != (1, 10) or not np.isfinite(probabilities).all():
        return Finding("model", "fix", f"{card.name} gives no probabilities: install digitlens again")
    return Finding(
        "model",
        "ok",
        f"{card.name}, {card.quantization}, {card.accuracy.fraction:.2%} of {card.accuracy.set}",
    )


def ink() -> Finding:
    """The network that finds ink, and whether it gives a class for each pixel."""
    try:
        network = InkNetwork.load(INK)
        network.logits(np.full((64, 64), 255, np.uint8))
    except DigitLensError as error:
        return Finding("ink", "fix", f"{error}; or install digitlens again")
    return Finding("ink", "ok", f"{network.card.name}, {network.card.quantization}")


def rows() -> Finding:
    """The row network."""
    if not cards.names(rows=True):
        return Finding("rows", "fix", "the network that reads rows is missing: install digitlens again")
    try:
        RowRecognizer.load()
        HypothesisScores.load()
    except DigitLensError as error:
        return Finding("rows", "fix", f"{error}; or install digitlens again")
    return Finding("rows", "ok", ", ".join((*cards.names(rows=True), HYPOTHESES)))


def sheets() -> Finding:
    """The networks that read the cells of forms."""
    try:
        Classifier.load(CELL_DIGITS)
        Perceptron.load(CELLS, len(FEATURES))
        Perceptron.load(marks.DEFAULT_MODEL, len(marks.FEATURES))
    except DigitLensError as error:
        return Finding("sheets", "fix", f"{error}; or install digitlens again")
    return Finding("sheets", "ok", ", ".join((CELL_DIGITS, CELLS, marks.DEFAULT_MODEL)))


def numbers() -> Finding:
    """The small networks that make numbers of glyphs."""
    try:
        Scores.load(ReaderParameters())
    except DigitLensError as error:
        return Finding("numbers", "fix", f"{error}; or install digitlens again")
    return Finding("numbers", "ok", ", ".join(NAMES))


def camera(settings: Settings, unit: Finding) -> Finding:
    """Whether the camera of the settings opens and gives a frame."""
    source = settings.camera.source
    if unit.state == "ok" and not is_replay(source):
        return Finding("camera", "ok", f"the service has it: {unit.message}")

    def first_frame() -> tuple[str, tuple[int, int]]:
        size = settings.camera.width, settings.camera.height
        opened = open_camera(source, size=size, color=False)
        try:
            while True:
                try:
                    frame = opened.newest(1.0)
                    break
                except CameraStalled:
                    continue
        finally:
            opened.close()
        if frame is None:
            raise CameraError(f"{opened.name}: gives no frames")
        return opened.name, (frame.gray.shape[1], frame.gray.shape[0])

    try:
        name, (width, height) = within(
            CAMERA_TIMEOUT, f"{source}: no frame within {CAMERA_TIMEOUT:.0f} s", first_frame
        )
    except CameraError as error:
        return Finding("camera", "fix", f"{error}")
    return Finding("camera", "ok", f"{name} gives frames of {width} x {height}")


def outlets(settings: Settings) -> Finding:
    """Whether anything would stop the outlets, or weakens them."""
    problems = preflight(settings)
    if problems:
        return Finding("outlets", "fix", "; ".join(problems))
    names = [*(["journal"] if settings.journal.file else []), *registry.wanted(settings)]
    return Finding("outlets", "ok", "; ".join([", ".join(names) or "none is set", *warnings(settings)]))
