"""What may stand in one field, by the looks of its cells and the constraints on this field alone."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.sheets import RuleParameters
from digitlens.core.arrays import Doubles
from digitlens.sheets import checkdigits
from digitlens.sheets.decisions import BLANK, EMPTY, MARKED, UNCLEAR, Hypotheses
from digitlens.sheets.fields import Field
from digitlens.sheets.written import Known, Value, Written, meaning, shown

SIGNS = "0123456789 ?"
"""A cell's signs in the order of its probabilities: digits, empty, ink that is no digit."""
_LETTERS = np.frombuffer(SIGNS.encode("ascii"), np.uint8)
_YEARS = {"YY": (date(2000, 1, 1), date(2099, 12, 31)), "YYYY": (date.min, date.max)}
"""The first and the last day that a date's format can express."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may stand in a field; broken constraints count only as often as writers break them."""

    raw: str
    """The likeliest reading without rules, as text."""
    raw_value: Value
    """Its value."""
    raw_problem: str
    """What it breaks, in words; else empty."""
    values: dict[Value, float]
    """Each value's probability where the ink can be read; None: nothing is written. Where a constraint is
    broken, all values that can be read; else the ones that keep to the constraints on this field alone."""
    unreadable: float
    """Probability of ink that cannot be read."""
    broken: float
    """Probability that a constraint is broken, while the values keep to it, where the ink can be read."""
    problem: str
    """The broken constraint, where that is the likeliest explanation, in words; else empty."""


def candidates_of(
    field: Field, hypotheses: Hypotheses, use: frozenset[Known], parameters: RuleParameters
) -> Candidates:
    """What may stand in a field, by the kinds of constraints that are in `use`.

    Raises:
        ValueError: the probabilities are of another number of cells, or not finite.
    """
    if not isinstance(hypotheses, np.ndarray):
        readings: dict[str, float] = {}
        for text, probability in hypotheses:
            signs = _signs(field, text)
            readings[signs] = readings.get(signs, 0.0) + float(probability)
        return _weighted(field, readings, use, parameters)
    columns = 3 if field.is_marked else 12
    if hypotheses.shape != (field.cells, columns) or not np.isfinite(hypotheses).all():
        wanted = f"({field.cells}, {columns}) finite probabilities"
        raise ValueError(f"{field.name}: {wanted}, not {hypotheses.shape}")
    cells: Doubles = hypotheses / np.maximum(hypotheses.sum(axis=1, keepdims=True), 1e-12)
    if field.is_marked:
        return _weighted(field, _marks(field, cells), use, parameters)
    ink = 1 - cells[:, EMPTY : EMPTY + 1]
    cells = np.where(np.arange(12) == EMPTY, cells, (1 - parameters.slip) * cells)
    cells[:, :10] += parameters.slip / 10 * ink
    readings = _likeliest(cells, parameters.least_reading, parameters.most_readings)
    if field.members is not None and "list" in use:
        readings |= _listed(field.members, cells, max(readings.values()) * parameters.least_reading)
    return _weighted(field, readings, use, parameters)


def _weighted(
    field: Field, readings: dict[str, float], use: frozenset[Known], parameters: RuleParameters
) -> Candidates:
    """Readings, a sign a cell, with the probability of each -> what they mean."""
    fits: dict[Value, float] = {}
    free: dict[Value, float] = {}
    rare = _rare(field, use, parameters)
    unreadable = max(1 - sum(readings.values()), 0.0)
    broken, worst, problem, has_value = 0.0, 0.0, "", False
    for signs, probability in readings.items():
        if "?" in signs:
            unreadable += probability
            continue
        written = _meaning(field, signs, use)
        if written.broken is None:
            fits[written.value] = fits.get(written.value, 0.0) + probability
        else:
            broken += rare[written.broken] * probability
            if probability > worst:
                worst, problem, has_value = probability, written.problem, written.value is not None
        if written.broken is None or written.value is not None:
            free[written.value] = free.get(written.value, 0.0) + probability
    raw = max(readings, key=lambda signs: readings[signs], default="?")
    if readings.get(raw, 0.0) < 1 - sum(readings.values()):
        raw = "?"
    read = Written(None) if "?" in raw else _meaning(field, raw, use)
    head = _shown(field, raw), read.value, read.problem
    total = sum(fits.values()) + broken
    # That digits keep to the constraints speaks against ink among them that is none; an empty field says
    # nothing of that.
    chance = _by_chance(field, use)
    readable = total - (1 - chance) * fits.get(None, 0.0)
    unreadable *= chance
    unreadable /= max(unreadable + readable, 1e-300)
    if problem and broken >= max(fits.values(), default=0.0):
        values = _divided(free, max(sum(free.values()), 1e-300)) if has_value else {}
        return Candidates(*head, values, unreadable, 0.0, problem)
    return Candidates(*head, _divided(fits, max(total, 1e-300)), unreadable, broken / max(total, 1e-300), "")


def _rare(field: Field, use: frozenset[Known], parameters: RuleParameters) -> dict[Known, float]:
    """How much less likely a reading is for breaking something, by its kind; 0 to 1.

    It is how rarely writers do so, times how likely they then write just that: anything, or a number that has
    one digit wrong, of which there are nine for each cell.
    """
    chance = _by_chance(field, use)
    odds = chance / max(1 - chance, 1e-9)
    wrong: dict[Known, float] = {
        "count": parameters.wrong_count,
        "range": parameters.wrong_range,
        "check": parameters.wrong_check,
        "list": parameters.wrong_list,
    }
    return {kind: min(share / (1 - share) * odds, 1.0) for kind, share in wrong.items()}


def _by_chance(field: Field, use: frozenset[Known]) -> float:
    """How likely a digit that is wrong, or cannot be read, leaves a field that keeps to its constraints."""
    return max(_chance(field, use), 1 / (9 * field.cells))


def _divided(values: dict[Value, float], total: float) -> dict[Value, float]:
    return {value: probability / total for value, probability in values.items()}


def _meaning(field: Field, signs: str, use: frozenset[Known]) -> Written:
    if field.is_marked:
        marked = [choice for choice, sign in zip(field.choices or ("x",), signs, strict=True) if sign == "x"]
        if len(marked) > 1:
            return Written(None, "count", "has more than one mark")
        return Written(marked[0] if marked else None)
    if len(signs) > field.cells:
        return Written(None, "count", f"has {len(signs)} digits in {field.cells} cells")
    return meaning(field, signs, use)


def _shown(field: Field, signs: str) -> str:
    """Signs as text for people."""
    if not field.is_marked:
        return shown(field, signs) if len(signs) == field.cells else signs
    if "?" in signs:
        return "?"
    names = field.choices or ("x",)
    return " + ".join(name for name, sign in zip(names, signs, strict=True) if sign == "x")


def _signs(field: Field, text: str) -> str:
    """A reading as people write it -> a sign a cell; "?" is ink that cannot be read."""
    if field.is_marked:
        names = field.choices or ("x",)
        if text and text not in names:
            return "?"
        return "".join("x" if name == text else " " for name in names)
    front, point, places = text.replace(",", ".").partition(".") if field.decimals else (text, "", "")
    if field.decimals and not point:
        front, places = front[: -field.decimals] if front else "", front[-field.decimals :]
    digits = "".join(sign for sign in front if sign in SIGNS)
    if field.kind == "digits":
        return digits.ljust(field.cells)
    return digits.rjust(field.cells - field.decimals) + places.ljust(field.decimals)


def _marks(field: Field, cells: Doubles) -> dict[str, float]:
    """Readings of cells that are marked: none, one, the likeliest two; "?" where a mark is unclear."""
    blank, marked = cells[:, BLANK], cells[:, MARKED]
    count = len(cells)
    none = float(np.prod(blank))
    readings = {" " * count: none}
    for index in range(count):
        others = float(np.prod(np.delete(blank, index)))
        readings["".join("x" if index == one else " " for one in range(count))] = (
            float(marked[index]) * others
        )
    clear = float(np.prod(1 - cells[:, UNCLEAR]))
    if count > 1:
        two = set(np.argsort(marked)[-2:].tolist())
        several = max(clear - sum(readings.values()), 0.0)
        readings["".join("x" if one in two else " " for one in range(count))] = several
    readings["?" * count] = max(1 - clear, 0.0)
    return readings


def _likeliest(cells: Doubles, least: float, most: int) -> dict[str, float]:
    """The likeliest readings of cells that know nothing of each other, exactly."""
    probabilities, signs = np.ones(1), np.zeros((1, 0), np.intp)
    for cell in cells:
        longer = (probabilities[:, np.newaxis] * cell).ravel()
        kept = np.flatnonzero(longer >= max(longer.max() * least, 1e-300))
        if len(kept) > most:
            kept = kept[np.argpartition(longer[kept], -most)[-most:]]
        probabilities = longer[kept]
        signs = np.column_stack((signs[kept // len(SIGNS)], kept % len(SIGNS)))
    letters = _LETTERS[signs].tobytes().decode("ascii")
    starts = range(0, len(letters), len(cells))
    each = [letters[start : start + len(cells)] for start in starts]
    return dict(zip(each, probabilities.tolist(), strict=True))


@lru_cache(maxsize=16)
def _by_length(members: frozenset[str]) -> dict[int, tuple[list[str], npt.NDArray[np.intp]]]:
    """A list's numbers by their length, as text and as digits (numbers, length)."""
    found: dict[int, list[str]] = {}
    for member in sorted(members):
        found.setdefault(len(member), []).append(member)
    return {
        length: (texts, np.array([list(map(int, text)) for text in texts], np.intp))
        for length, texts in found.items()
    }


def _listed(members: frozenset[str], cells: Doubles, least: float) -> dict[str, float]:
    """The readings of all numbers of a list, wherever they stand in the comb."""
    readings = {}
    empty = cells[:, EMPTY]
    for length, (texts, digits) in _by_length(members).items():
        for start in range(len(cells) - length + 1):
            end = start + length
            blank = float(np.prod(empty[:start]) * np.prod(empty[end:]))
            scores = np.prod(cells[np.arange(start, end), digits], axis=1) * blank
            for index in np.flatnonzero(scores >= least):
                signs = " " * start + texts[index] + " " * (len(cells) - end)
                readings[signs] = float(scores[index])
    return readings


def _chance(field: Field, use: frozenset[Known]) -> float:
    """The share of all that could be written that keeps to the constraints, by chance."""
    if field.is_marked:
        return field.cells / float(2**field.cells - 1)
    if field.kind == "digits":
        chance = checkdigits.CHANCE[field.check] if field.check and "check" in use else 1.0
    else:
        low, high = 0, 10**field.cells - 1
        if field.kind == "date":
            low, high = (day.toordinal() for day in _YEARS["YYYY" if "YYYY" in field.format else "YY"])
        elif field.kind == "time":
            high = 24 * 60 - 1
        if "range" in use:
            low = max(low, field.smallest or 0)
            high = high if field.largest is None else min(high, field.largest)
        chance = (high - low + 1) / 10**field.cells
    if field.members is not None and "list" in use:
        chance = min(chance, len(field.members) / 10**field.cells)
    return min(max(chance, 1e-9), 1.0)
