"""Numbers that are followed from frame to frame, and what happens to them."""

from typing import Literal

import msgspec

from digitlens.core.readings import Box, Number

EARLIEST = 1e9
"""The earliest time that counts as a camera's, seconds since 1970; a lower one is a replay's own."""


class Tracked(msgspec.Struct, frozen=True):
    """A number that is followed: its own `id`, whether it is steady, its age in frames."""

    id: int
    number: Number
    steady: bool
    age: int


class Event(msgspec.Struct, frozen=True):
    """What happened to a steady number, at `time` (the reading's, seconds); `before` is the text it had."""

    kind: Literal["appeared", "changed", "gone"]
    id: int
    time: float
    text: str
    confidence: float
    box: Box
    before: str = ""

    @property
    def is_since_1970(self) -> bool:
        """Whether `time` counts from 1970, as a camera's does; a replay's counts from its start."""
        return self.time > EARLIEST
