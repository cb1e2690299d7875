"""Fits on films what many looks add to a confidence, so that it is the probability of being right."""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.tracking import LookParameters
from digitlens.live.looks import gained, log_odds, probability, share
from digitlens.reader import Reader
from digitlens_train.data import Mnist, load_mnist
from digitlens_train.look_films import Seen, tracked

FITTED = {"gain": 0.3, "digit_shift": 1.0, "number_shift": 1.0, "disagreement": 2.0}
"""The parameters that are fitted, and the first step of each."""
LEAST_STEP = 0.01
"""Step at which the search ends."""
PRIOR = 0.1
"""Weight of a squared parameter in the loss: what films do not tell stays 0."""
BINS = 10
"""Bins of the calibration error, of equal counts."""
SURE = 0.99
"""Confidence from which numbers are counted as sure."""

Doubles = npt.NDArray[np.float64]


def confidences(seen: Sequence[Seen], parameters: LookParameters) -> Doubles:
    """The confidences (N,) of numbers by these parameters, as the tracker computes them."""
    found = []
    for one in seen:
        digits = [
            probability(gained(odds, count, parameters))
            for odds, count in zip(one.odds, one.counts, strict=True)
        ]
        odds = log_odds(float(np.prod(digits))) + one.surplus - one.disagreement * parameters.disagreement
        found.append(probability(odds + share(min(one.counts)) * parameters.number_shift))
    return np.array(found)


def fit(seen: Sequence[Seen], parameters: LookParameters) -> LookParameters:
    """The parameters that make the numbers likeliest, by coordinate descent from those handed in."""
    right = np.array([one.right for one in seen])

    def loss(each: LookParameters) -> float:
        sure = confidences(seen, each).clip(1e-6, 1 - 1e-6)
        squares = sum(getattr(each, name) ** 2 for name in FITTED)
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
    """Calibration error (bins of equal counts), share of wrong numbers among sure ones, and their count."""
    order = np.argsort(sure)
    error = sum(
        abs(float(sure[part].mean() - right[part].mean())) * len(part) / len(sure)
        for part in np.array_split(order, min(BINS, len(sure)))
    )
    certain = sure >= SURE
    return {
        "numbers": len(sure),
        "right": round(float(right.mean()), 4),
        "calibration_error": round(error, 4),
        "sure": int(certain.sum()),
        "sure_wrong": round(float((~right[certain]).mean()), 4) if certain.any() else 0.0,
    }


def run(out: Path, mnist: Path | None, films: int, seed: int, processes: int) -> None:
    """Draw `films` films to fit on and half as many to measure; write looks.json into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    learnt = _collect(mnist, [(seed, 0, film) for film in range(films)], processes)
    held_out = _collect(mnist, [(seed, 1, film) for film in range(max(1, films // 2))], processes)
    parameters = fit(learnt, LookParameters())
    right = np.array([one.right for one in held_out])
    written = {
        "seed": seed,
        "films": films,
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
