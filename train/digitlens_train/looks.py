"""Fits on films what many looks add to a confidence, so that it is the probability of being right."""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.tracking import LookParameters
from digitlens.live.looks import CERTAIN
from digitlens.reader import Reader
from digitlens_convert.stats import by_chance
from digitlens_train.data import DataError, Mnist, load_mnist
from digitlens_train.look_films import Seen, tracked

FITTED = {
    "gain": 0.3, "digit_shift": 1.0, "number_gain": 0.3, "number_shift": 1.0, "length": 0.5,
    "disagreement": 2.0,
}  # fmt: skip
"""The parameters that are fitted, and the first step of each."""
LEAST_STEP = 0.01
"""Step at which the search ends."""
PRIOR = 3.0
"""Weight of a squared parameter in the loss: what films do not tell stays 0."""
BINS = 10
"""Bins of the calibration error, of equal counts."""
SURE = 0.99
"""Confidence from which numbers are counted as sure."""

Doubles = npt.NDArray[np.float64]


def confidences(seen: Sequence[Seen], parameters: LookParameters) -> Doubles:
    """The confidences (N,) of numbers by these parameters, as the tracker computes them."""
    return _confidences(_columns(seen), parameters)


class Columns(NamedTuple):
    """Numbers as arrays: `odds` and `counts` (N, D) of digits, and (N,) each; a missing digit is sure."""

    odds: Doubles
    counts: Doubles
    surplus: Doubles
    disagreement: Doubles


def _columns(seen: Sequence[Seen]) -> Columns:
    digits = max(len(one.odds) for one in seen)
    rest = [digits - len(one.odds) for one in seen]
    return Columns(
        np.array([(*one.odds, *[np.inf] * count) for one, count in zip(seen, rest, strict=True)]),
        np.array([(*one.counts, *[np.inf] * count) for one, count in zip(seen, rest, strict=True)]),
        np.array([one.surplus for one in seen]),
        np.array([one.disagreement for one in seen]),
    )


def _confidences(seen: Columns, parameters: LookParameters) -> Doubles:
    written = np.isfinite(seen.odds)
    odds = np.where(written, seen.odds, 0)
    least = parameters.counted_looks - 1
    shares = ((seen.counts - 1) / least).clip(0, 1)  # as `share` has it
    digits = 1 / (1 + np.exp(-odds - shares * (parameters.gain * odds + parameters.digit_shift)))
    together = np.where(written, digits, 1).prod(axis=1).clip(CERTAIN, 1 - CERTAIN)
    looked = ((seen.counts.min(axis=1) - 1) / least).clip(0, 1)
    number = np.log(together / (1 - together)) * (1 + looked * parameters.number_gain) + seen.surplus
    number += looked * (parameters.number_shift + parameters.length * np.log(written.sum(axis=1)))
    number -= seen.disagreement * parameters.disagreement
    return np.asarray(1 / (1 + np.exp(-number)), np.float64)


def fit(seen: Sequence[Seen], parameters: LookParameters) -> LookParameters:
    """The parameters that make the numbers likeliest, by coordinate descent from those handed in."""
    right = np.array([one.right for one in seen])
    columns = _columns(seen)

    def loss(each: LookParameters) -> float:
        sure = _confidences(columns, each).clip(CERTAIN, 1 - CERTAIN)
        squares = sum(float(getattr(each, name)) ** 2 for name in FITTED)
        return float(-np.log(np.where(right, sure, 1 - sure)).sum()) + PRIOR * squares

    steps = dict(FITTED)
    best = loss(parameters)
    while max(steps.values()) > LEAST_STEP:
        for name, step in steps.items():
            tried = [
                replace(parameters, **{name: getattr(parameters, name) + change}) for change in (step, -step)
            ]
            losses = [loss(each) for each in tried]
            least = int(np.argmin(losses))
            if losses[least] < best:
                best, parameters = losses[least], tried[least]
            else:
                steps[name] = step / 2
    return replace(parameters, **{name: round(getattr(parameters, name), 2) for name in FITTED})


def figures(sure: Doubles, right: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Calibration error (bins of equal counts), share of wrong numbers among sure ones, and their count.

    `error_by_chance` is the calibration error to expect of so few numbers if each confidence were exactly the
    probability of being right: an error of that size says nothing against them.
    """
    certain = sure >= SURE
    return {
        "numbers": len(sure),
        "right": round(float(right.mean()), 4),
        "calibration_error": round(_calibration_error(sure, right), 4),
        "error_by_chance": round(by_chance(_calibration_error, sure), 4),
        "sure": int(certain.sum()),
        "sure_wrong": round(float((~right[certain]).mean()), 4) if certain.any() else 0.0,
    }


def _calibration_error(sure: Doubles, right: npt.NDArray[np.bool_]) -> float:
    bins = np.array_split(np.argsort(sure, kind="stable"), min(BINS, len(sure)))
    return sum(abs(float(sure[part].mean() - right[part].mean())) * len(part) / len(sure) for part in bins)


def run(out: Path, mnist: Path | None, films: int, seed: int, processes: int) -> None:
    """Draw `films` films to fit on and half as many to measure; write looks.json into `out`.

    A film takes about a second of a core; how long all took is in looks.json.

    Raises:
        DataError: no number was steady in them.
    """
    out.mkdir(parents=True, exist_ok=True)
    started = perf_counter()
    learnt = _collect(mnist, [(seed, 0, film) for film in range(films)], processes)
    held_out = _collect(mnist, [(seed, 1, film) for film in range(max(1, films // 2))], processes)
    if not learnt or not held_out:
        raise DataError(f"{films} films: no number was steady in them, so there is nothing to fit; take more")
    parameters = fit(learnt, LookParameters())
    right = np.array([one.right for one in held_out])
    written = {
        "seed": seed,
        "films": films,
        "minutes": round((perf_counter() - started) / 60, 1),
        "parameters": {name: getattr(parameters, name) for name in FITTED},
        "learnt": figures(confidences(learnt, parameters), np.array([one.right for one in learnt])),
        "held_out": figures(confidences(held_out, parameters), right),
        "held_out_without": figures(np.array([one.confidence for one in held_out]), right),
    }
    (out / "looks.json").write_text(json.dumps(written, indent=1) + "\n")
    (out / "seen.json").write_text(json.dumps([[asdict(one) for one in part] for part in (learnt, held_out)]))
    print(json.dumps(written, indent=1))


def _collect(mnist: Path | None, seeds: Sequence[tuple[int, ...]], processes: int) -> list[Seen]:
    follow = partial(_film, mnist)
    if processes == 1:
        return [one for seed in seeds for one in follow(seed)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return [one for film in pool.map(follow, seeds) for one in film]


@cache
def _reader() -> Reader:
    return Reader(film=True)


@cache
def _digits(mnist: Path | None) -> Mnist:
    return load_mnist(mnist)


def _film(mnist: Path | None, seed: tuple[int, ...]) -> list[Seen]:
    return tracked(_reader(), _digits(mnist), seed)
