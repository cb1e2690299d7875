"""Entries as JSON lines on stdout, for programs."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, BinaryIO, Self

import msgspec
from msgspec import Meta

from digitlens.outlets.base import Option, Outlet, OutletContext
from digitlens.outlets.entries import Entry


class LinesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[lines]: what `serve --json` turns on."""

    enabled: Annotated[
        bool, Meta(description="Whether each entry is written to stdout as a JSON object on a line.")
    ] = False


class LinesOutlet(Outlet):
    """Writes one JSON object an entry and line."""

    name = "lines"
    Settings = LinesSettings
    switch = "enabled"
    options = (Option("--json", "enabled", "one JSON object an entry and line on stdout, too"),)

    @classmethod
    def warnings(cls, settings: Any) -> list[str]:
        """See Outlet."""
        try:
            stream = os.fstat(1)
        except OSError:  # a process without a stdout
            return []
        if f"{stream.st_dev}:{stream.st_ino}" != os.environ.get("JOURNAL_STREAM", ""):
            return []
        return ["[lines] enabled: stdout is the system's journal, which keeps every reading"]

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    @classmethod
    def open(cls, settings: Any, context: OutletContext) -> Self:
        """On this process's stdout."""
        return cls(sys.stdout.buffer)

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet.

        Raises:
            BrokenPipeError: nobody reads them any more.
        """
        self._stream.write(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
        self._stream.flush()
