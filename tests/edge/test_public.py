"""The public names, and what importing them costs."""

import subprocess
import sys

import digitlens

HEAVY = (
    "tensorflow",
    "keras",
    "sklearn",
    "picamera2",
    "pygame",
    "matplotlib",
    "paho",
    "tornado",
    "pypdfium2",
    "pillow_heif",
    "pyarrow",
    "fsspec",
    "s3fs",
    "aiohttp",
    "digitlens_train",
    "digitlens_convert",
)


def test_public_names_are_narrow() -> None:
    assert len(digitlens.__all__) <= 15
    assert sorted(digitlens.__all__) == digitlens.__all__
    for name in digitlens.__all__:
        assert getattr(digitlens, name).__doc__


def test_import_loads_nothing_heavy_and_starts_nothing() -> None:
    program = (
        "import os, signal, sys, threading, logging\n"
        "import cv2  # sets LD_LIBRARY_PATH itself\n"
        "before = dict(os.environ), signal.getsignal(signal.SIGTERM), logging.getLogger().handlers[:]\n"
        "import digitlens, digitlens.commands.main\n"
        "after = dict(os.environ), signal.getsignal(signal.SIGTERM), logging.getLogger().handlers[:]\n"
        "assert before == after and threading.active_count() == 1\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stderr == ""
    assert not {name.split(".")[0] for name in loaded.stdout.split()} & set(HEAVY)


def test_runtime_sources_name_nothing_of_the_workstation(root) -> None:
    for path in (root / "edge").rglob("*.py"):
        text = path.read_text()
        for name in ("digitlens_train", "digitlens_convert", "import keras", "sklearn"):
            assert name not in text.replace('digitlens_convert"', ""), f"{path} names {name}"


def test_readings_import_nothing_of_ours(root) -> None:
    assert "digitlens" not in (root / "edge" / "digitlens" / "core" / "readings.py").read_text()
