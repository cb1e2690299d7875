"""The service's log: one line an event on stderr, with the priorities of systemd's journal."""

import logging
import os
import sys
from collections.abc import Mapping

from digitlens.core.paths import printable

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""A record's level -> syslog's priority, as sd-daemon(3) prefixes it to a line."""


class _Line(logging.Formatter):
    """Formats a record as one line; with its traceback only under DIGITLENS_DEBUG=1."""

    def __init__(self, journal: bool, tracebacks: bool) -> None:
        super().__init__()
        self._journal, self._tracebacks = journal, tracebacks

    def format(self, record: logging.LogRecord) -> str:
        text = printable(" ".join(record.getMessage().split()))
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            said = printable(" ".join(str(error).split()))
            text = f"{text}: {type(error).__name__}: {said}{_place(error)}"
            if self._tracebacks:
                text = f"{text}\n{self.formatException(record.exc_info)}"
        if self._journal:
            return "\n".join(f"<{PRIORITIES.get(record.levelno, 6)}>{line}" for line in text.splitlines())
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"digitlens: {level}{text}"


def begin(level: str, environment: Mapping[str, str]) -> None:
    """Log to stderr from now on; a second call only changes the level (a key of LEVELS).

    Under systemd's journal each line begins with its priority.
    """
    root = logging.getLogger()
    if not any(isinstance(handler.formatter, _Line) for handler in root.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Line(is_journal(environment), environment.get("DIGITLENS_DEBUG") == "1"))
        root.addHandler(handler)
        root.setLevel(logging.WARNING)  # libraries log their warnings only
    limit(level)


def limit(level: str) -> None:
    """Log records of this level (a key of LEVELS) and above."""
    logging.getLogger("digitlens").setLevel(LEVELS[level])


def is_journal(environment: Mapping[str, str]) -> bool:
    """Whether stderr is the journal's stream: JOURNAL_STREAM holds its device and inode."""
    try:
        device, inode = map(int, environment.get("JOURNAL_STREAM", "").split(":"))
        stream = os.fstat(2)
    except (ValueError, OSError):
        return False
    return (stream.st_dev, stream.st_ino) == (device, inode)


def _place(error: BaseException) -> str:
    """The innermost file and line of an error's traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"  # noqa: PTH119
