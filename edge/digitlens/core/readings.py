"""Digit, Number, Reading: the frozen values that travel between the stages."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

Box = tuple[int, int, int, int]
"""x, y of the upper left corner, width, height; pixels."""


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of `boxes`, of which there is at least one."""
    each = iter(boxes)
    left, top, width, height = next(each)
    right, bottom = left + width, top + height
    for x, y, width, height in each:
        left, top = min(left, x), min(top, y)
        right, bottom = max(right, x + width), max(bottom, y + height)
    return left, top, right - left, bottom - top


class Digit(msgspec.Struct, frozen=True):
    """One digit: its value 0 to 9, the confidence in it (0 to 1), where it stands."""

    value: int
    confidence: float
    box: Box


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """Digits that belong together, in writing order; the confidence is that of all being right.

    `text` is the digits, and between them a decimal separator where the reader was asked to keep it. JSON has
    `printed` only where it is true.
    """

    text: str
    confidence: float
    box: Box
    digits: tuple[Digit, ...]
    printed: bool = False


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one picture says: numbers in reading order.

    `source` names the picture, `time` is the frame's own (seconds), `size` its width and height in
    pixels, `milliseconds` what each stage took, `page` which page of its document it is, from 1.
    """

    source: str
    time: float
    size: tuple[int, int]
    numbers: tuple[Number, ...]
    milliseconds: dict[str, float]
    page: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of a reading: lists, dicts, texts and numbers."""
        fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return {"source": fields.pop("source"), "page": fields.pop("page", 1), **fields}


def number(digits: tuple[Digit, ...]) -> Number:
    """The number that these digits make, left to right; at least one digit."""
    confidence = 1.0
    for digit in digits:
        confidence *= digit.confidence
    return Number(
        text="".join(str(digit.value) for digit in digits),
        confidence=confidence,
        box=union(digit.box for digit in digits),
        digits=digits,
    )


def scaled(box: Box, size: tuple[int, int], wanted: tuple[int, int]) -> Box:
    """A box of a picture of this size (width, height) in the same picture of the wanted size."""
    across, down = wanted[0] / size[0], wanted[1] / size[1]
    x, y, width, height = box
    left, top = round(x * across), round(y * down)
    return left, top, round((x + width) * across) - left, round((y + height) * down) - top


def moved(numbers: Iterable[Number], move: Callable[[Box], Box]) -> tuple[Number, ...]:
    """The numbers with the boxes of their digits moved, and their own around those."""
    found = []
    for one in numbers:
        digits = tuple(msgspec.structs.replace(digit, box=move(digit.box)) for digit in one.digits)
        found.append(msgspec.structs.replace(one, digits=digits, box=union(digit.box for digit in digits)))
    return tuple(found)


def resized(reading: Reading, size: tuple[int, int]) -> Reading:
    """The same reading for the picture at another size (width, height): the boxes move along."""
    if size == reading.size:
        return reading
    numbers = moved(reading.numbers, lambda box: scaled(box, reading.size, size))
    return msgspec.structs.replace(reading, size=size, numbers=numbers)


def joined_text(numbers: list[Number]) -> str:
    """The digits of all the numbers, one after the other."""
    return "".join(number.text for number in numbers)
