"""Shared by all tests: shipped models, real digits, the pictures of ../shared; programs that tests need."""

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader
from tests.needs import MARKERS, NEEDS, apt_line

if TYPE_CHECKING:  # paho-mqtt is optional
    from tests.edge.outlets.brokers import WatchedOutbox

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
REQUIRE = os.environ.get("DIGITLENS_REQUIRE", "") not in ("", "0")
"""Whether a test fails, instead of being skipped, if a program that it needs is not installed."""
LACKS = "lacks"
"""Property of a test's report: the name in NEEDS of a program that is not installed."""


def pytest_configure(config: pytest.Config) -> None:
    """Let a worker compute in one thread: the others have the other cores."""
    if hasattr(config, "workerinput"):
        cv2.setNumThreads(1)
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


def needs_of(item: pytest.Item) -> list[str]:
    """Names in NEEDS that a test's markers stand for."""
    programs = [mark.args[0] for mark in item.iter_markers("program")]
    return [name for name in MARKERS if item.get_closest_marker(name)] + programs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the slow tests out of coverage, which would nearly double their time, and begin with the longest.

    Training and conversion take minutes in one worker; last, they would let the other one wait.
    """
    items.sort(key=lambda item: not {"train", "convert"} & set(item.path.parts))
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")


def pytest_runtest_setup(item: pytest.Item) -> None:
    lacking = [name for name in needs_of(item) if NEEDS[name].missing()]
    if not lacking:
        return
    item.user_properties += [(LACKS, name) for name in lacking]
    programs = ", ".join(program for name in lacking for program in NEEDS[name].missing())
    reason = f"{programs} not installed: {apt_line(lacking)}"
    if REQUIRE:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """In the last lines: how many tests lacked a program, and the command that installs it."""
    yield
    stats = terminalreporter.stats
    lacking = [
        [str(name) for key, name in getattr(report, "user_properties", ()) if key == LACKS]
        for report in [*stats.get("skipped", ()), *stats.get("error", ())]
    ]
    counts = Counter(name for names in lacking for name in names)
    if counts:
        tests = ", ".join(f"{name} {count}" for name, count in counts.items())
        terminalreporter.section("programs that are not installed", yellow=True)
        terminalreporter.line(f"{sum(map(bool, lacking))} tests did not run ({tests}); to run them:")
        terminalreporter.line(apt_line(counts))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The first thousand digits of MNIST's test half: (1000, 28, 28), (1000,)."""
    with np.load(ROOT / "tests" / "data" / "digits.npz") as arrays:
        return arrays["x"], arrays["y"]


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The reader as a user gets it."""
    return Reader()


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Finds a path below ../shared; skips the test if it is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"needs {name} of the project's shared folder, which is absent")
        return path

    return find


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory, digits: tuple[npt.NDArray[np.uint8], ...]) -> Path:
    """A small MNIST in its npz form, of the shipped digits: 800 to train, 200 to test."""
    x, y = digits
    path = tmp_path_factory.mktemp("mnist") / "mnist.npz"
    np.savez(path, x_train=x[:800], y_train=y[:800], x_test=x[800:], y_test=y[800:])
    return path


@pytest.fixture
def watched(tmp_path: Path) -> "Iterator[WatchedOutbox]":
    """An outbox whose acknowledgments and messages can be waited for."""
    from tests.edge.outlets.brokers import WatchedOutbox

    one = WatchedOutbox(tmp_path / "outbox.db")
    yield one
    one.close()
