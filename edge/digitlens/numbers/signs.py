"""Numbers split at the signs among their glyphs, by the class prior of the number's own glyphs."""

from statistics import fmean

import msgspec
import numpy as np

from digitlens.config.parameters import Parameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.readings import Digit, Number, number, union
from digitlens.numbers import prior


def split_at_signs(
    found: Number, chances: dict[int, float], non_digits: float, parameters: Parameters
) -> list[Number]:
    """Update a number's confidences by the class prior of its own glyphs; split it at signs, drop words.

    `chances` are the probabilities, by the id of each Digit, that it is a digit at all; `non_digits` is the
    page's fraction of non-digits.
    """
    numbers, limits = parameters.numbers, parameters.reader
    before = np.array([chances[id(digit)] for digit in found.digits])
    posterior, _ = prior.em_class_prior(before, non_digits, non_digits, numbers.page_weight, numbers)
    digits = [
        msgspec.structs.replace(digit, confidence=float(digit.confidence * chance / max(last, 1e-9)))
        for digit, chance, last in zip(found.digits, posterior, before, strict=True)
    ]
    if fmean(digit.confidence for digit in digits) < limits.min_posterior:
        return []
    parts: list[list[Digit]] = [[]]
    sign: Digit | None = None
    for digit, chance in zip(digits, posterior, strict=True):
        if chance < limits.min_digit:
            parts.append([])
            sign = digit
        elif sign is not None and not parts[-1] and _is_subscript(digit, sign, limits):
            sign = msgspec.structs.replace(sign, box=union((sign.box, digit.box)))
        else:
            parts[-1].append(digit)
    return [number(tuple(part)) for part in parts if part]


def _is_subscript(digit: Digit, sign: Digit, limits: ReaderParameters) -> bool:
    """Whether a digit is small and close behind a letter, as in d1 and x2."""
    x, _, _, height = digit.box
    left, _, width, tall = sign.box
    return height < limits.subscript_height * tall and x - (left + width) < limits.subscript_gap * tall
