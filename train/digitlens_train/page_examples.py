"""What is found on generated pages, and what is true of it: glyphs, pairs of digits, and numbers."""

import re
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from digitlens.config.parameters import DEFAULT
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.readings import Box, Number, scaled
from digitlens.core.trace import Trace
from digitlens.glyphs.lattice import Resolved, resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.models.classifier import Classifier
from digitlens.numbers import pairs, plausibility, rejection
from digitlens.numbers.grouping import DEFAULT_MODEL as PAIRS
from digitlens.numbers.grouping import Grouper
from digitlens.numbers.merging import regrouped
from digitlens.numbers.plausibility import DEFAULT_MODEL as PLAUSIBILITY
from digitlens.numbers.plausibility import Plausibility
from digitlens.numbers.rejection import DEFAULT_MODEL as REJECTION
from digitlens.numbers.rejection import Rejection
from digitlens.numbers.scores import Scores
from digitlens.paper.looking import Look
from digitlens.paper.network import STEP, InkNetwork, Logits
from digitlens.paper.page import Glyph, Page, find_page
from digitlens.paper.scale import find_scaled
from digitlens.reader import Reader
from digitlens.rows.lines import to_rows
from digitlens_train.page_scores import Examples, Found, Part, ScoresConfig
from digitlens_train.paper import patches
from digitlens_train.paper.canvas import Truth
from digitlens_train.paper.classes import IGNORED, Kind
from digitlens_train.paper.layouts import HELD_OUT, LAYOUTS, WEIGHTS
from digitlens_train.paper.material import Material

UNLIKE_PAIRS = ("square_digits",)
"""Layouts whose pairs are left out: squared paper holds both single digits and numbers of one a square."""
ROOM = (0.1, 0.15)
"""How far beside and above or below a number a digit's middle may stand, heights of the number."""
NEWS = 50
"""Pages between two lines of progress."""
SHARE = 10
"""Most pages that a worker reads at once."""
# Generated pages lie almost level, and the boxes of their numbers would not turn with a leveled picture.
PARAMETERS = replace(DEFAULT, skew=replace(DEFAULT.skew, least_tilt=float("inf")))


Observe = Callable[[int, Found], None]
"""Called with a page's number and what was found on it."""


class _Remembering(InkNetwork):
    """The network `ink`, asked but once for a picture that is looked at twice in a row."""

    _last: tuple[Gray, Logits] | None = None

    def logits(self, gray: Gray) -> Logits:
        """See InkNetwork."""
        if self._last is None or not np.array_equal(self._last[0], gray):
            self._last = gray.copy(), super().logits(gray)
        return self._last[1]


class Collector:
    """Draws pages, looks at them and notes what a network is to learn; one page has one seed.

    Args:
        config: what the pages are like.
        material: the part's.
        ink: the network that the Reader looks with.
        part: whose pages: other seeds, and held-out layouts among the others.
        scores: the networks `rejection` and `pairs`; with them numbers are read, examples of plausibility.
            None: examples of digits and pairs.
    """

    def __init__(
        self,
        config: ScoresConfig,
        material: Material,
        ink: InkNetwork,
        part: Part = "learnt",
        scores: Scores | None = None,
    ) -> None:
        self._config, self._material, self._part, self._scores = config, material, part, scores
        self._traces: list[Trace] = []
        self._look = Look(ink, PARAMETERS.paper)
        self._classifier = Classifier.load()
        if scores is not None:
            self._rules = Reader(self._classifier, ink=ink, front="rules", scores=scores)
            self._reader = Reader(
                self._classifier,
                self._traces.append,
                ink=ink,
                turn=0,
                front="network",
                parameters=PARAMETERS,
                scores=scores,
            )
        self._weights = layout_weights(config, part)

    def collect(
        self, pages: Sequence[int] | None = None, observe: Observe = lambda _page, _found: None
    ) -> Found:
        """The examples of pages by their numbers, None taking all of the part's.

        `observe` is called after each page.
        """
        found = []
        for number in range(self._config.count(self._part)) if pages is None else pages:
            found.append(self._page(number))
            observe(number, found[-1])
        return Found.joined(found)

    def _page(self, number: int) -> Found:
        random = np.random.default_rng((self._config.seed, int(self._part == "held_out"), number))
        layout, (gray, classes, truth) = draw_page(self._config, self._weights, self._material, random)
        if self._scores is None:
            read, page = find_scaled(gray, self._find, PARAMETERS.reader)
        else:
            self._reader.read(gray)
            trace = self._traces.pop()
            read = trace.gray
            page = self._find(read)
        resolved = resolve(page.glyphs, self._classify, PARAMETERS.lattice, PARAMETERS.glyphs)
        scale = read.shape[1] / gray.shape[1]
        written = [
            replace(one, box=(one.box[0] * scale, one.box[1] * scale, one.box[2] * scale, one.box[3] * scale))
            for number in truth
            if not number.printed
            for one in number.parts
        ]
        if self._scores is not None:
            group = self._scores.group
            sizes = (gray.shape[1], gray.shape[0]), (read.shape[1], read.shape[0])
            others = regrouped(self._rules.read(gray).numbers, page, lambda box: scaled(box, *sizes), group)
            theirs = plausibility.features(others, page, group, by_rules=True)
            _, page, _ = self._scores.reject(resolved, page)
            mine = plausibility.features(trace.numbers, page, group)
            inputs = np.concatenate(
                [
                    plausibility.compared(theirs, others, trace.numbers),
                    plausibility.compared(mine, trace.numbers, others),
                    mine,
                ]
            )
            numbers = (*others, *trace.numbers, *trace.numbers)
            return _numbers(numbers, inputs, written, layout, number)
        size = -(-read.shape[1] // STEP), -(-read.shape[0] // STEP)
        kinds = cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
        return _glyphs(resolved, page, kinds, written, layout, number)

    def _find(self, gray: Gray) -> Page:
        return find_page(gray, self._look, False, PARAMETERS.paper)

    def _classify(self, glyphs: list[Glyph]) -> Floats:
        return self._classifier.probabilities(to_mnist(glyphs, PARAMETERS.glyphs))


def layout_weights(config: ScoresConfig, part: Part) -> Doubles:
    """(L,): how often each of LAYOUTS is drawn in a part."""
    extra = config.held_out_layouts if part == "held_out" else 0.0
    weights = np.array([extra if name in HELD_OUT else WEIGHTS[name] for name in LAYOUTS])
    return np.asarray(weights / weights.sum(), np.float64)


def draw_page(
    config: ScoresConfig, weights: Doubles, material: Material, random: np.random.Generator
) -> tuple[str, tuple[Gray, Gray, list[Truth]]]:
    """A picture's layout, by these weights (L,), and the picture as patches.page has it."""
    if random.random() < config.small:
        side = round(float(np.exp(random.uniform(*np.log(config.small_sides)))))
        return "small", patches.small(random, material, side)
    layout = list(LAYOUTS)[random.choice(len(weights), p=weights)]
    height = float(np.exp(random.uniform(*np.log(config.heights))))
    rows, columns = (
        2 * int(random.integers(least // 2, most // 2 + 1)) for least, most in (config.rows, config.columns)
    )
    neat, shown = random.random() < config.neat, random.random() < config.shown
    return layout, patches.page(random, material, layout, (rows, columns), height, neat, not shown)


def _glyphs(
    resolved: Resolved, page: Page, kinds: Gray, written: Sequence[Truth], layout: str, number: int
) -> Found:
    """Which glyphs of a page are digits, and which neighbors among them are of one number.

    `kinds` are the true classes (ceil(H / 2), ceil(W / 2)) of the picture as looked at; `written` the true
    numbers, in its pixels.
    """
    inputs = rejection.features(resolved, page)
    answers = [_is_digit(glyph, kinds) for glyph in resolved.glyphs]
    known = [(each, answer) for each, answer in zip(inputs, answers, strict=True) if answer is not None]
    digits, rest = rejection.without(resolved, page, np.array([bool(answer) for answer in answers], bool))
    joined: list[tuple[Floats, bool]] = []
    for row in to_rows(digits.glyphs) if layout not in UNLIKE_PAIRS else ():
        owners = [_owner(glyph.box, written) for glyph in row]
        described = pairs.features([glyph.box for glyph in row], rest)
        for each, (one, other) in zip(described, pairwise(owners), strict=True):
            if one is not None and other is not None:
                joined.append((each, one == other))
    return Found(
        {
            REJECTION: Examples.of(known, len(rejection.FEATURES), layout, number),
            PAIRS: Examples.of(joined, len(pairs.FEATURES), layout, number),
        },
        len(written),
        0,
    )


def _is_digit(glyph: Glyph, kinds: Gray) -> bool | None:
    """Whether most of a glyph's ink is a handwritten digit's; None where its class is not known."""
    x, y, _, _ = glyph.box
    rows, columns = np.nonzero(glyph.ink[::STEP, ::STEP] > 0)
    height, width = kinds.shape
    true = kinds[np.minimum(y // STEP + rows, height - 1), np.minimum(x // STEP + columns, width - 1)]
    ink = true[(true != IGNORED) & (true != Kind.PAPER)]
    return bool(np.mean(ink == Kind.DIGIT) >= 0.5) if len(ink) else None


def _numbers(
    numbers: Sequence[Number], inputs: Floats, written: Sequence[Truth], layout: str, number: int
) -> Found:
    """Which numbers that were read, with these inputs, are right; `written` are the true ones."""
    read: list[tuple[Floats, bool]] = []
    right: set[int] = set()
    for each, found in zip(inputs, numbers, strict=True):
        owner = _owner(found.box, written)
        same = owner is not None and _digits(found.text) == _digits(written[owner].text)
        read.append((each, same))
        if same and owner is not None:
            right.add(owner)
    examples = Examples.of(read, len(plausibility.FEATURES), layout, number)
    return Found({PLAUSIBILITY: examples}, len(written), len(right))


def _owner(box: Box, written: Sequence[Truth]) -> int | None:
    """The smallest number that a box's middle stands in."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    around = []
    for k, number in enumerate(written):
        left, top, width, height = number.box
        beside, above = ROOM[0] * height, ROOM[1] * height
        if left - beside <= x <= left + width + beside and top - above <= y <= top + height + above:
            around.append((width * height, k))
    return min(around)[1] if around else None


def _digits(text: str) -> str:
    return "".join(re.findall("[0-9]", text))


def gather(
    config: ScoresConfig,
    data: Path | None,
    ink: str | Path,
    part: Part,
    processes: int,
    scores: Path | None = None,
) -> Found:
    """`Collector.collect` with worker processes; how many there are changes nothing of what is found.

    `scores` is the folder of the networks that numbers are read with, see Collector.

    Raises:
        DataError: a file of `data` is missing or broken.
        ModelError: no such network `ink`.
    """
    count = config.count(part)
    size = min(SHARE, -(-count // processes))
    shares = [range(start, min(start + size, count)) for start in range(0, count, size)]
    found: dict[int, Found] = {}
    done = 0
    with ProcessPoolExecutor(
        processes, get_context("spawn"), _begin, (config, data, ink, part, scores)
    ) as pool:
        places = {pool.submit(_share, share): share for share in shares}
        try:
            for future in as_completed(places):
                share = places[future]
                found[share.start] = future.result()
                before, done = done, done + len(share)
                if done // NEWS > before // NEWS or done == count:
                    print(f"{part}: {done} pages, {Found.joined(list(found.values()))}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Found.joined([found[share.start] for share in shares])


class _Anything(Plausibility):
    """Lets every number stand: a network that learns which ones to drop must see them all."""

    def __init__(self) -> None:
        """A plausibility without a network."""

    def __call__(self, numbers: Sequence[Number], inputs: Floats) -> tuple[Number, ...]:
        """The same numbers."""
        return tuple(numbers)


def _keeping_all(folder: Path) -> Scores:
    """The networks `rejection` and `pairs` of a folder, and every number taken for plausible."""
    limits = PARAMETERS.reader
    return Scores(
        Rejection.load(limits.least_digit, folder / f"{REJECTION}.npz"),
        Grouper.load(folder / f"{PAIRS}.npz", limits.comb_prior),
        _Anything(),
    )


_worker: dict[str, Any] = {}
"""What a worker process has loaded."""


def _begin(config: ScoresConfig, data: Path | None, ink: str | Path, part: Part, scores: Path | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    cv2.setNumThreads(1)
    _worker.update(config=config, part=part, data=data, ink=ink, scores=scores)


def _share(pages: Sequence[int]) -> Found:
    if "collector" not in _worker:  # here an error reaches the parent, in _begin it would not
        material = Material.load(_worker["data"], "scores" if _worker["part"] == "learnt" else "held_out")
        scores = None if _worker["scores"] is None else _keeping_all(_worker["scores"])
        network = _Remembering.load(_worker["ink"])
        _worker["collector"] = Collector(_worker["config"], material, network, _worker["part"], scores)
    found: Found = _worker["collector"].collect(pages)
    return found
