"""Real parts for the tests: the shipped models, real digits, the pictures of ../shared where they are."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Reader

if TYPE_CHECKING:  # paho-mqtt is optional
    from tests.edge.outlets.brokers import WatchedOutbox

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


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
    """A path below ../shared; the test is skipped where that is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"needs {name} of the project's shared folder, which is not here")
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

    one = WatchedOutbox(tmp_path / "journal.db")
    yield one
    one.close()
