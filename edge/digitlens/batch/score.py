"""The error rate of a checked sample: by confidence, and of the table as it is, with intervals."""

import json
from pathlib import Path

import msgspec
import numpy as np

from digitlens.batch.manifest import require, write_text
from digitlens.batch.sample import EDGES, FOLDER, KEY, SHEET, filled
from digitlens.core.errors import BatchError, reason

SCORE = "score.json"
DRAWS = 20_000
"""Draws of the posterior."""
UNREADABLE = "?"
SEED = 1


class Stratum(msgspec.Struct, frozen=True):
    """Numbers of like confidence: how many there are, were checked and wrong; rate and 95 % interval."""

    low: float
    high: float
    population: int
    checked: int
    wrong: int
    rate: float
    interval: tuple[float, float]


class Score(msgspec.Struct, frozen=True):
    """What a checked sample says of all the numbers.

    `rate` is the part of the table's numbers that are wrong, `interval` where it lies at 95 %; `unreadable`
    crops are counted as neither right nor wrong.
    """

    checked: int
    unreadable: int
    rate: float
    interval: tuple[float, float]
    strata: tuple[Stratum, ...]


class _Drawn(msgspec.Struct, frozen=True):
    text: str
    stratum: int


class _Key(msgspec.Struct, frozen=True):
    population: tuple[int, ...]
    drawn: dict[str, _Drawn]


def score(folder: Path) -> str:
    """Take the filled-in sample back; the error rate, in a line.

    Raises:
        BatchError: there is no run or no sample, or nothing is filled in.
    """
    require(folder)
    path = folder / FOLDER / KEY
    try:
        key = msgspec.json.decode(path.read_bytes(), type=_Key)
    except FileNotFoundError as error:
        raise BatchError(
            f"{folder}: no sample is drawn: digitlens batch --out {folder} --sample 300"
        ) from error
    except (OSError, ValueError) as error:
        raise BatchError(f"{path}: not a sample's key: {reason(error)}") from error
    truths = {crop: truth for crop, truth in filled(folder).items() if truth and crop in key.drawn}
    checked = [0] * len(key.population)
    wrong = [0] * len(key.population)
    unreadable = 0
    for crop, truth in truths.items():
        drawn = key.drawn[crop]
        if truth == UNREADABLE:
            unreadable += 1
            continue
        checked[drawn.stratum] += 1
        wrong[drawn.stratum] += not is_same(drawn.text, truth)
    if not sum(checked):
        raise BatchError(f"{folder / FOLDER / SHEET}: nothing is filled in")
    found = _score(key.population, checked, wrong, unreadable)
    write_text(folder / FOLDER / SCORE, json.dumps(msgspec.to_builtins(found), indent=1) + "\n")
    low, high = found.interval
    return (
        f"{found.checked} checked: {found.rate:.2%} of the numbers are wrong (95 %: {low:.2%} to {high:.2%})"
    )


def load(folder: Path) -> Score | None:
    """The score that was taken last; None if there is none."""
    try:
        return msgspec.json.decode((folder / FOLDER / SCORE).read_bytes(), type=Score)
    except (OSError, ValueError):
        return None


def is_same(text: str, truth: str) -> bool:
    """Whether a person wrote what was read; leading zeros are not compared, for spreadsheets drop them."""
    plain = "".join(truth.split())
    return text == plain or (plain.isdecimal() and text.isdecimal() and int(text) == int(plain))


def _score(population: tuple[int, ...], checked: list[int], wrong: list[int], unreadable: int) -> Score:
    """By Jeffreys' posterior of each stratum; of the table, their sum weighted by the populations."""
    chance = np.random.default_rng(SEED)
    total = max(sum(population), 1)
    draws = np.zeros(DRAWS)
    rate = 0.0
    strata = []
    for index, (count, seen, errors) in enumerate(zip(population, checked, wrong, strict=True)):
        posterior = chance.beta(errors + 0.5, seen - errors + 0.5, DRAWS)
        draws += posterior * count / total
        # Without any checked, half a sure guess of nothing: the interval says so.
        fraction = errors / seen if seen else 0.5
        rate += fraction * count / total
        low, high = (float(value) for value in np.quantile(posterior, (0.025, 0.975)))
        if seen:
            low, high = (0.0 if not errors else low), (1.0 if errors == seen else high)
        strata.append(Stratum(EDGES[index], EDGES[index + 1], count, seen, errors, fraction, (low, high)))
    low, high = (float(value) for value in np.quantile(draws, (0.025, 0.975)))
    return Score(sum(checked), unreadable, rate, (min(low, rate), max(high, rate)), tuple(strata))
