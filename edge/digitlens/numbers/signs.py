"""Glyphs -> numbers by the class prior of the page: words are left out, signs split numbers."""

from collections.abc import Callable, Sequence
from statistics import fmean

import msgspec
import numpy as np

from digitlens.config.parameters import Parameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.readings import Digit, Number, number, union
from digitlens.glyphs.lattice import Resolved
from digitlens.numbers import prior
from digitlens.paper.page import Page


def numbers_by_prior(
    resolved: Resolved,
    page: Page,
    group: Callable[[Sequence[Digit], Page], tuple[Number, ...]],
    trained: float | None,
    parameters: Parameters,
) -> tuple[Number, ...]:
    """A page's glyphs as numbers, without words and scribbles.

    Args:
        resolved: the glyphs.
        page: where they stand.
        group: makes numbers of digits.
        trained: the fraction of non-digits that the network was trained with; None if it knows none.
        parameters: of all stages.
    """
    settings, limits = parameters.numbers, parameters.reader
    probabilities = resolved.probabilities
    values, best = probabilities.argmax(axis=1), probabilities.max(axis=1, initial=0).astype(np.float64)
    is_digit = probabilities.sum(axis=1, dtype=np.float64)
    non_digits = 0.0
    if trained is not None and len(best):
        posterior, non_digits = prior.em_class_prior(
            is_digit, trained, settings.prior_non_digits, settings.prior_weight, settings
        )
        best, is_digit = best * posterior / np.maximum(is_digit, 1e-9), posterior
    digits = [
        Digit(int(value), float(confidence), glyph.box)
        for glyph, value, confidence in zip(resolved.glyphs, values, best, strict=True)
    ]
    numbers = group(digits, page)
    if trained is None:
        least = limits.min_confidence
        return tuple(n for n in numbers if fmean(digit.confidence for digit in n.digits) >= least)
    chances = {id(digit): float(chance) for digit, chance in zip(digits, is_digit, strict=True)}
    return tuple(part for found in numbers for part in split_at_signs(found, chances, non_digits, parameters))


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
