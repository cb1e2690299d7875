"""Entries as JSON lines on stdout, for programs."""

from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from digitlens.outlets.entries import Entry


class Lines:
    """Writes each entry as one line with a JSON object."""

    name = "lines"

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def announce(self, entries: Sequence[Entry]) -> None:
        """See Outlet.

        Raises:
            BrokenPipeError: the reader of the stream has gone.
        """
        self._stream.write(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
        self._stream.flush()

    def close(self) -> None:
        """The stream is not ours to close."""
