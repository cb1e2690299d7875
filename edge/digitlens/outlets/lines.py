"""Entries as JSON lines on stdout, for programs."""

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
