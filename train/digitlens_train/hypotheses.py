"""Fit the score of a row's hypotheses, a conditional logit, to rows in doubt on generated pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Box
from digitlens.core.trace import Trace
from digitlens.models import cards
from digitlens.models.cards import Card, TensorSpec
from digitlens.models.perceptron import Perceptron
from digitlens.reader import Reader
from digitlens.rows.hypothesis_scores import (
    DEFAULT_MODEL,
    FEATURES,
    HypothesisEvidence,
    HypothesisScores,
    probabilities,
)
from digitlens_convert.stats import accuracy
from digitlens_train import row_photos
from digitlens_train.crops import other_hands
from digitlens_train.data import DataError
from digitlens_train.paper import patches
from digitlens_train.paper.canvas import Truth
from digitlens_train.paper.layouts import LAYOUTS, WEIGHTS
from digitlens_train.paper.material import Material, Part

HEIGHTS = (18.0, 60.0)
"""Least and largest height of a page's writing, drawn log-uniformly, in pixels."""
SIDES = (350, 1100)
"""Least and largest height and width of a page, in pixels."""
PAGES = 0.25
"""Share of the pictures that are pages; the others show one row."""


@dataclass(frozen=True)
class HypothesesConfig:
    """Everything that determines the fitted weights.

    Attributes:
        pictures: that are read for rows in doubt.
        held_out_pictures: by other hands, for the figures.
        decay: weight of the weights' squares beside the mean loss; keeps inputs that hardly matter near 0.
        steps: of Newton's method.
    """

    pictures: int = 6000
    held_out_pictures: int = 1500
    decay: float = 1e-3
    steps: int = 30
    seed: int = 2026


@dataclass(frozen=True)
class Case:
    """A row in doubt: the inputs of its hypotheses (N, FEATURES), and which is right; -1: none."""

    inputs: Floats
    right: int


class _Recording(HypothesisScores):
    """Scores as ever, and keeps what it was asked."""

    def __init__(self, network: Perceptron | None) -> None:
        self._learnt = network
        self.asked: list[HypothesisEvidence] = []

    def scores(self, evidence: HypothesisEvidence) -> Doubles:
        self.asked.append(evidence)
        if self._learnt is None:
            return np.asarray(evidence.likelihoods.mean(axis=0), np.float64)
        return self._learnt.logits(evidence.inputs()).astype(np.float64)


def collect(
    config: HypothesesConfig, mnist: Path | None, data: Path | None, part: Part, count: int
) -> Iterator[Case]:
    """The rows in doubt of `count` generated pictures; the same for the same seed.

    The hands are those of Material.load's `part`, which the row network has not learnt.

    Raises:
        DataError: MNIST or a file of `data` is missing or broken.
    """
    sources = other_hands(mnist, data, part)
    material = sources.hands or Material.load(None, part)
    traces: list[Trace] = []
    recording = _Recording(None)
    reader = Reader(watch=traces.append, front="rules", turn=0)
    if reader._rule_rows is not None:
        reader._rule_rows.scores = recording
    weights = np.array([WEIGHTS[name] for name in LAYOUTS])
    cv2.setNumThreads(1)
    for number in range(count):
        random = np.random.default_rng((config.seed, part == "scores", number))
        recording.asked.clear()
        traces.clear()
        if random.random() < PAGES:
            layout = list(LAYOUTS)[int(random.choice(len(weights), p=weights / weights.sum()))]
            size = tuple(2 * int(side) for side in random.integers(SIDES[0] // 2, SIDES[1] // 2, 2))
            height = float(np.exp(random.uniform(*np.log(HEIGHTS))))
            gray, _, numbers = patches.page(random, material, layout, (size[0], size[1]), height)
            reader.read(gray)
            if traces[0].gray.shape == gray.shape:
                yield from _of_page(recording.asked, traces[0], numbers)
        else:
            gray, text = row_photos.strip(sources, random)
            reader.read(gray)
            if len(recording.asked) == 1:  # of several, which is which is not known
                yield _case(recording.asked[0], text)


def _case(asked: HypothesisEvidence, truth: str) -> Case:
    texts = list(asked.texts)
    return Case(asked.inputs(), texts.index(truth) if truth in texts else -1)


def _of_page(asked: list[HypothesisEvidence], trace: Trace, numbers: list[Truth]) -> Iterator[Case]:
    """The cases of the rows whose numbers stand wholly inside or outside of them."""
    for evidence in asked:
        own = [row for row in trace.rows if {*evidence.texts} == {one.text for one in row.hypotheses}]
        if len(own) != 1:
            continue
        inside = [(one, _share(one.box, own[0].box)) for one in numbers if not one.printed]
        if all(share < 0.15 or share > 0.85 for _, share in inside):
            found = sorted((one for one, share in inside if share > 0.5), key=lambda one: one.box[0])
            yield _case(evidence, "".join(sign for one in found for sign in one.text if sign.isdigit()))


def _share(number: tuple[float, float, float, float], row: Box) -> float:
    """The fraction of a number's box that lies inside a row's."""
    x, y, width, height = number
    across = min(x + width, row[0] + row[2]) - max(x, row[0])
    down = min(y + height, row[1] + row[3]) - max(y, row[1])
    return max(0.0, across) * max(0.0, down) / max(1e-6, width * height)


def fit(config: HypothesesConfig, cases: list[Case]) -> Perceptron:
    """The weights that maximize the likelihood of the right hypotheses, by Newton's method.

    Raises:
        DataError: there are too few cases.
    """
    if len(cases) < 10 * len(FEATURES):
        raise DataError(f"{len(cases)} rows in doubt: too few; read more --pictures")
    every = np.concatenate([case.inputs for case in cases]).astype(np.float64)
    mean, deviation = every.mean(axis=0), every.std(axis=0) + 1e-3
    scaled = [
        np.column_stack([(case.inputs - mean) / deviation, np.ones(len(case.inputs))]) for case in cases
    ]
    weights = np.zeros(len(FEATURES) + 1)
    penalty = config.decay * len(cases) * np.append(np.ones(len(FEATURES)), 0.0)
    for _ in range(config.steps):
        gradient, curvature = penalty * weights, np.diag(penalty + 1e-6)
        for x, case in zip(scaled, cases, strict=True):
            chances = probabilities(x @ weights)
            expected = chances @ x
            gradient += expected - (x[case.right] if case.right >= 0 else 0.0)
            curvature += (x * chances[:, np.newaxis]).T @ x - np.outer(expected, expected)
        step: npt.NDArray[np.float64] = np.linalg.solve(curvature, gradient)
        weights -= step * min(1.0, 3.0 / max(1e-9, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-6:
            break
    layer = weights[:-1, np.newaxis].astype(np.float32), weights[-1:].astype(np.float32)
    return Perceptron(mean.astype(np.float32), deviation.astype(np.float32), (layer,))


def right(network: Perceptron, cases: list[Case]) -> int:
    """How often the likeliest hypothesis, or none where that is likelier, is right."""
    found = 0
    for case in cases:
        nats = network.logits(case.inputs)
        best = int(nats.argmax())
        found += case.right == (best if nats[best] > 0 else -1)
    return found


def run(config: HypothesesConfig, out: Path, mnist: Path | None = None, data: Path | None = None) -> None:
    """Collect rows in doubt, fit the scores, and write weights and card to the folder `out`.

    Raises:
        DataError: MNIST or a file of `data` is missing or broken, or there are too few rows in doubt.
    """
    out.mkdir(parents=True, exist_ok=True)
    learnt = list(collect(config, mnist, data, "scores", config.pictures))
    held = list(collect(config, mnist, data, "held_out", config.held_out_pictures))
    network = fit(config, learnt)
    path = out / f"{DEFAULT_MODEL}.npz"
    content = network.save(path)
    folder = "" if data is None else "--data DIR "
    command = (
        f"python -m digitlens_train hypotheses {folder}--pictures {config.pictures} --seed {config.seed}"
    )
    card = Card(
        name=path.stem,
        kind="perceptron",
        description="which hypothesis of a row is right: log-linear",
        bytes=len(content),
        sha256=cards.digest(content),
        quantization="float32",
        input=TensorSpec((-1, len(FEATURES)), "float32"),
        output=TensorSpec((-1,), "float32"),
        training_data=f"{len(learnt):,} rows in doubt of {config.pictures:,} generated strips and pages, by "
        "hands that the row network has not learnt",
        accuracy=accuracy(
            f"rows in doubt of {config.held_out_pictures:,} generated strips and pages by held-out hands",
            right(network, held),
            len(held),
        ),
        make_again=(command,),
    )
    cards.save(card, path.with_suffix(".json"))
    for name, weight in sorted(
        zip(FEATURES, network.layers[0][0][:, 0].tolist(), strict=True), key=lambda pair: -abs(pair[1])
    ):
        print(f"{weight:7.3f}  {name}")
    among = sum(case.right >= 0 for case in held)
    print(
        f"held out: {right(network, held)} of {len(held)} rows in doubt right; {among} among the hypotheses"
    )
