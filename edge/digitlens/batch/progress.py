"""The progress of a run on a terminal, or a line now and then in a log."""

import threading
from collections.abc import Sequence
from time import monotonic
from typing import TextIO

from digitlens.batch.run import Totals
from digitlens.batch.sources import items

ON_TERMINAL = 0.5
"""Time between two lines on a terminal, which replace each other, seconds."""
IN_LOG = 30.0
"""Time between two lines elsewhere, seconds."""


class ProgressLine:
    """Writes how far a run is.

    Args:
        to: stderr.
        sources: are counted once in another thread, for the time that is left, unless they are of other
            machines or stdin; None counts nothing.
    """

    def __init__(self, to: TextIO, sources: Sequence[str] | None) -> None:
        self._to = to
        self._every = ON_TERMINAL if to.isatty() else IN_LOG
        self._last = monotonic()
        self._total: int | None = None
        if sources is not None and not any(source == "-" or "://" in source for source in sources):
            threading.Thread(target=self._count, args=(sources,), name="count", daemon=True).start()

    def _count(self, sources: Sequence[str]) -> None:
        self._total = sum(1 for _ in items(sources))

    def show(self, totals: Totals) -> None:
        """Write a line if it is time."""
        now = monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        text = f"{text_of(totals)}{self._left(totals)}"
        self._to.write(f"\r{text}\x1b[K" if self._to.isatty() else f"{text}\n")
        self._to.flush()

    def _left(self, totals: Totals) -> str:
        handled = totals.documents + totals.skipped
        if self._total is None or not totals.documents:
            return ""
        left = max(0, self._total - handled)
        seconds = left * (monotonic() - totals.started) / totals.documents
        return f", {left:,} documents left: {duration(seconds)}"

    def end(self, totals: Totals) -> None:
        """The last line."""
        if self._to.isatty():
            self._to.write("\r\x1b[K")
        failed = f", {totals.failed_before:,} of them failed" if totals.failed_before else ""
        before = f"; {totals.before:,} pages were read before{failed}" if totals.before else ""
        seconds = monotonic() - totals.started
        self._to.write(f"{text_of(totals)}, in {duration(seconds)}{before}\n")


def text_of(totals: Totals) -> str:
    """Pages, numbers, failures and the rate."""
    failed = f", {totals.failed:,} failed" if totals.failed else ""
    return f"{totals.pages:,} pages, {totals.numbers:,} numbers{failed}, {totals.rate:,.1f} pages/s"


def duration(seconds: float) -> str:
    """Seconds as people say it: 42 s, 3 min, 5 h 10 min, 3 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes / 1440:,.0f} days"
