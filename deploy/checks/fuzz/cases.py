"""Shared by all targets: findings, and mutations of bytes."""

import random
from collections.abc import Callable

from digitlens.core.errors import DigitLensError

Ready = Callable[[], None]


class Found(Exception):  # noqa: N818  # a finding, not an error of this program
    """The product broke its contract."""


def one_line(error: DigitLensError) -> None:
    """Check that an error's message is one line of at most 2,000 characters.

    Raises:
        Found: it is not.
    """
    text = str(error)
    if not text or "\n" in text or len(text) > 2000:
        raise Found(f"not one line: {text[:200]!r}")


def mutated(case: random.Random, content: bytes) -> bytes:
    """The bytes with one random mutation."""
    if not content:
        return content
    data = bytearray(content)
    place = case.randrange(len(data))
    if case.random() < 0.5:  # mostly headers matter
        place = case.randrange(min(len(data), 200))
    how = case.randrange(7)
    if how == 0:
        data[place] ^= 1 << case.randrange(8)
    elif how == 1:
        data[place : place + 4] = case.choice(
            [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"]
        )
    elif how == 2:
        del data[place:]
    elif how == 3:
        del data[place : place + case.randrange(1, 50)]
    elif how == 4:
        data[place:place] = case.randbytes(case.randrange(1, 50))
    elif how == 5:
        data[place:place] = data[max(0, place - 64) : place] * case.choice([1, 50])
    else:
        data[place : place + 16] = case.randbytes(16)
    return bytes(data)
