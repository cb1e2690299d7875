"""An outbox on a real disk, and what it says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digitlens.outlets.outbox import Outbox


@pytest.fixture
def lines() -> list[str]:
    """Filled with what is said."""
    return []


@pytest.fixture
def open_outbox(tmp_path: Path, lines: list[str]) -> Iterator[Callable[..., Outbox]]:
    """Opens outboxes, which are closed after the test."""
    opened = []

    def opening(megabytes: int = 64, device: str = "pi", name: str = "journal.db") -> Outbox:
        opened.append(Outbox(tmp_path / name, megabytes, device, lines.append))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()
