"""Fit the network `calibration` to which numbers are read right on generated pages and strips."""

import re
import shlex
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.alignment import align_runs
from digitlens.core.arrays import Doubles, Floats
from digitlens.core.readings import Number
from digitlens.models import cards
from digitlens.models.cards import Card, TensorSpec
from digitlens.models.perceptron import Perceptron
from digitlens.numbers.attempt import Attempt
from digitlens.numbers.calibration import DEFAULT_MODEL, FEATURES, Calibration, features
from digitlens.paper.witness import Witness
from digitlens.reader import Reader
from digitlens_convert.stats import accuracy
from digitlens_train import crops, row_photos, scores
from digitlens_train.page_examples import draw_page, layout_weights, owner_of
from digitlens_train.page_scores import Examples, Part, ScoresConfig
from digitlens_train.paper.canvas import Truth
from digitlens_train.paper.layouts import EMPTY
from digitlens_train.paper.material import Material

STRIP = "strip"
"""The layout of examples from strips."""
SHARE = 10
"""Pictures that a worker reads at once."""
SURE = 0.99
"""Confidence from which numbers count as sure."""
BINS = 10
"""Bins of the calibration error, of equal width."""


@dataclass(frozen=True)
class CalibrationConfig:
    """Everything that determines the weights, besides the networks that the Reader reads with.

    Attributes:
        pages: pictures to learn from, by hands that only the learnt scores have seen.
        held_out_pages: pictures by other hands, for the figures.
        strips: share of the pictures that show one row, as the network `numbers` learns them.
        turned: share of the pages that stand on their side or head.
        fit: how pages are drawn, and how the network is fitted.
    """

    pages: int = 2000
    held_out_pages: int = 500
    seed: int = 2028
    strips: float = 0.3
    turned: float = 0.08
    fit: ScoresConfig = field(default_factory=lambda: ScoresConfig(hidden=(16,), decay=1.0, epochs=20))


class _Recording(Calibration):
    """Keeps what it is asked about, and leaves it as it is."""

    def __init__(self) -> None:
        self.inputs: Floats = np.zeros((0, len(FEATURES)), np.float32)

    def __call__(self, attempt: Attempt, witness: Witness, scale: float) -> Attempt:
        self.inputs = features(attempt, witness, scale)
        return attempt


@cache
def _reader() -> tuple[Reader, _Recording]:
    """A worker's reader."""
    cv2.setNumThreads(1)
    reader, recording = Reader(calibrated=False), _Recording()
    reader._calibration = recording
    return reader, recording


@cache
def _sources(mnist: Path | None, data: Path | None, part: Part) -> crops.Sources:
    """What a worker's pictures are written with."""
    return crops.other_hands(mnist, data, "scores" if part == "learnt" else "held_out")


Job = tuple[CalibrationConfig, Path | None, Path | None, Part, range]


def _read(job: Job) -> Examples:
    """The examples of some pictures, which count from 0."""
    config, mnist, data, part, pictures = job
    sources = _sources(mnist, data, part)
    reader, recording = _reader()
    weights = layout_weights(config.fit, part)
    material = sources.hands or Material.load(None, "scores" if part == "learnt" else "held_out")
    found = []
    for number in pictures:
        random = np.random.default_rng((config.seed, int(part == "held_out"), number))
        if random.random() < config.strips:
            layout = STRIP
            gray, text = row_photos.strip(sources, random)
            numbers = reader.read(gray).numbers
            right = of_row(numbers, text)
        else:
            layout, (gray, _, written) = draw_page(config.fit, weights, material, random)
            turns = int(random.integers(1, 4)) if random.random() < config.turned else 0
            truth = [one for one in _turned(written, gray.shape[1], gray.shape[0], turns) if not one.printed]
            numbers = reader.read(np.ascontiguousarray(np.rot90(gray, turns))).numbers
            right = of_page(numbers, truth)
        known = recording.inputs if numbers else recording.inputs[:0]
        found.append(Examples.of(list(zip(known, right, strict=True)), len(FEATURES), layout, number))
    return Examples.joined(found)


def of_row(numbers: Sequence[Number], text: str) -> list[bool]:
    """Which numbers of a row with the digits `text` are right: their own, and none left out beside them."""
    read = re.sub("[^0-9]", "", "".join(number.text for number in numbers))
    there = {at: other for at, other in align_runs(read, text) if read[at] == text[other]}
    right, start = [], 0
    for number in numbers:
        end = start + len(number.digits)
        places = [there.get(at, -1) for at in range(start, end)]
        whole = -1 not in places and places == list(range(places[0], places[0] + len(places)))
        before = there.get(start - 1, -2) if start else -1
        after = there.get(end, -2) if end < len(read) else len(text)
        right.append(whole and before in (-2, places[0] - 1) and after in (-2, places[-1] + 1))
        start = end
    if len(numbers) == 1:
        return [read == text]
    return right


def of_page(numbers: Sequence[Number], written: Sequence[Truth]) -> list[bool]:
    """Which numbers stand on the page, each of `written` once."""
    left = dict(enumerate(written))
    right = []
    for number in numbers:
        owner = owner_of(number.box, written)
        digits = "".join(str(digit.value) for digit in number.digits)
        right.append(owner in left and re.sub("[^0-9]", "", written[owner].text) == digits)
        if right[-1] and owner is not None:
            del left[owner]
    return right


def _turned(written: Sequence[Truth], width: int, height: int, turns: int) -> list[Truth]:
    """The numbers of a page that np.rot90 turns so many times."""
    found = list(written)
    for _ in range(turns):
        found = [
            replace(one, box=(one.box[1], width - one.box[0] - one.box[2], one.box[3], one.box[2]))
            for one in found
        ]
        width, height = height, width
    return found


def collect(
    config: CalibrationConfig, mnist: Path | None, data: Path | None, part: Part, processes: int
) -> Examples:
    """The examples of a part; how many processes read its pictures changes nothing of it.

    Raises:
        DataError: MNIST or a file of `data` is missing or broken.
    """
    count = config.pages if part == "learnt" else config.held_out_pages
    shares = [range(start, min(start + SHARE, count)) for start in range(0, count, SHARE)]
    jobs = [(config, mnist, data, part, share) for share in shares]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return Examples.joined(list(pool.map(_read, jobs)))


def error(chances: Doubles, right: npt.NDArray[np.bool_]) -> float:
    """The expected calibration error: |mean confidence - share right|, averaged over BINS of equal width."""
    bins = np.minimum((chances * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(chances[bins == k].sum() - right[bins == k].sum()))
        for k in range(BINS)
        if (bins == k).any()
    ]
    return sum(gaps) / max(1, len(chances))


def table(network: Perceptron, held: Examples) -> str:
    """By layout: how many numbers, how many right, their calibration error before and after, the sure."""
    lines = ["layout                numbers   right  error before  after  sure  of them wrong"]
    before = 1 / (1 + np.exp(-held.inputs[:, 0].astype(np.float64)))
    after = network.probabilities(held.inputs)
    rows = {"all": np.ones(len(after), bool), "without digits": np.isin(held.layout, EMPTY)}
    rows |= {name: held.layout == name for name in np.unique(held.layout)}
    for name, own in rows.items():
        right, sure = held.answer[own], after[own] >= SURE
        lines.append(
            f"{name:20}  {len(right):7,}  {right.mean() if len(right) else 0:6.1%}  "
            f"{error(before[own], right):12.3f}  {error(after[own], right):5.3f}  {sure.sum():4}  "
            f"{(~right[sure]).sum():3}"
        )
    return "\n".join(lines)


def thresholds(network: Perceptron, held: Examples, pictures: int) -> str:
    """What a least confidence costs and saves: numbers right and wrong that stay."""
    chances = network.probabilities(held.inputs)
    empty = np.isin(held.layout, EMPTY)
    lines = [f"least confidence  right kept  wrong kept  pages without digits with a number, of {pictures}"]
    for least in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6):
        kept = chances >= least
        lines.append(
            f"{least:16.2f}  {held.answer[kept].sum() / max(1, held.answer.sum()):10.1%}  "
            f"{(~held.answer[kept]).sum() / max(1, (~held.answer).sum()):10.1%}  "
            f"{len(np.unique(held.page[kept & empty])):5}"
        )
    return "\n".join(lines)


def run(
    config: CalibrationConfig,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    processes: int = 2,
) -> None:
    """Collect examples, fit the network, and write its weights and card to the folder `out`.

    Raises:
        DataError: MNIST or a file of `data` is missing or broken, or there are too few examples.
    """
    out.mkdir(parents=True, exist_ok=True)
    learnt = collect(config, mnist, data, "learnt", processes)
    held = collect(config, mnist, data, "held_out", processes)
    for part, examples in (("learnt", learnt), ("held_out", held)):
        np.savez_compressed(out / f"{part}.npz", allow_pickle=False, **vars(examples))
    network = scores.fit(replace(config.fit, seed=config.seed), learnt)
    path = out / f"{DEFAULT_MODEL}.npz"
    content = network.save(path)
    folder = "" if data is None else "--data DIR "
    command = (
        f"python -m digitlens_train calibration {folder}--out {shlex.quote(str(out))} "
        f"--pages {config.pages} --held-out-pages {config.held_out_pages} --seed {config.seed}"
    )
    card = Card(
        name=path.stem,
        kind="perceptron",
        description="the probability that a number is right",
        bytes=len(content),
        sha256=cards.digest(content),
        quantization="float32",
        input=TensorSpec((-1, len(FEATURES)), "float32"),
        output=TensorSpec((-1,), "float32"),
        training_data=f"{len(learnt.answer):,} numbers that the reader found on {config.pages:,} generated "
        "pages and strips by hands that its networks have not learnt",
        accuracy=accuracy(
            f"numbers found on {config.held_out_pages:,} generated pages and strips by held-out hands",
            scores.right_answers(network, held),
            len(held.answer),
        ),
        make_again=(command,),
    )
    cards.save(card, path.with_suffix(".json"))
    print(table(network, held))
    print(thresholds(network, held, config.held_out_pages), flush=True)
