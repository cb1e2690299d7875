"""What the Reader finds on generated pages, and what is true of it: pairs of digits, and numbers."""

import re
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, Self

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters import DEFAULT
from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Box
from digitlens.core.trace import Trace
from digitlens.numbers import pairs, plausibility
from digitlens.paper.looking import Look
from digitlens.paper.network import InkNetwork, Logits
from digitlens.paper.page import Page, find_page
from digitlens.reader import Reader
from digitlens.rows.lines import to_rows
from digitlens_train.paper import patches
from digitlens_train.paper.canvas import Truth
from digitlens_train.paper.layouts import HELD_OUT, LAYOUTS, WEIGHTS
from digitlens_train.paper.material import Material

Part = Literal["learnt", "held_out"]
Name = Literal["pairs", "plausibility"]
FEATURES: dict[Name, tuple[str, ...]] = {"pairs": pairs.FEATURES, "plausibility": plausibility.FEATURES}
UNLIKE_PAIRS = ("square_digits",)
"""Layouts whose pairs are left out: squared paper holds both single digits and numbers of one a square."""
ROOM = (0.1, 0.15)
"""How far beside and above or below a number a digit's middle may stand, heights of the number."""
NEWS = 50
"""Pages between two lines of progress."""
SHARE = 10
"""Most pages that a worker reads at once."""
# Generated pages lie almost level, and the boxes of their numbers would not turn with a leveled picture. A
# network that learns which numbers to drop must see them all.
PARAMETERS = replace(
    DEFAULT,
    reader=replace(DEFAULT.reader, least_plausible=0.0),
    skew=replace(DEFAULT.skew, least_tilt=float("inf")),
)


@dataclass(frozen=True)
class ScoresConfig:
    """Everything that determines the two networks, besides the networks that the Reader reads with.

    Attributes:
        pages: to learn from.
        held_out_pages: by other hands and fonts, and of held-out layouts, too, for the figures.
        heights: least and largest height of the writing, drawn log-uniformly, pixels.
        rows: least and largest height of a page, pixels; even.
        columns: the same of its width.
        held_out_layouts: each held-out layout's weight; those of all others together are 1.
        hidden: sizes of the hidden layers.
        decay: weight of the squared weights in the loss.
        epochs: most of them; the fit ends when a tenth of the examples gains no more in `patience` epochs.
    """

    pages: int = 1500
    held_out_pages: int = 400
    seed: int = 2026
    heights: tuple[float, float] = (14.0, 70.0)
    rows: tuple[int, int] = (260, 900)
    columns: tuple[int, int] = (300, 1000)
    held_out_layouts: float = 0.03
    hidden: tuple[int, ...] = (24, 12)
    decay: float = 1e-3
    batch: int = 128
    learning_rate: float = 3e-3
    epochs: int = 60
    patience: int = 8

    def count(self, part: Part) -> int:
        """The pages of a part."""
        return self.pages if part == "learnt" else self.held_out_pages


@dataclass(frozen=True)
class Examples:
    """The inputs of one of the networks, (N, features), the right answers, and where they stand, (N,)."""

    inputs: Floats
    answer: npt.NDArray[np.bool_]
    layout: npt.NDArray[np.str_]
    page: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[tuple[Floats, bool]], features: int, layout: str, page: int) -> Self:
        """The examples of one page."""
        return cls(
            np.array([inputs for inputs, _ in found], np.float32).reshape(-1, features),
            np.array([answer for _, answer in found], bool),
            np.full(len(found), layout, "U32"),
            np.full(len(found), page, np.int64),
        )

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Examples":
        """Some of them, by a mask (N,)."""
        return Examples(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["Examples"]) -> Self:
        """Those of all pages, in their order."""
        return cls(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class Scores:
    """The examples of some pages; how many numbers were written on them and how many were read right."""

    pairs: Examples
    plausibility: Examples
    written: int
    right: int

    @classmethod
    def joined(cls, parts: Sequence["Scores"]) -> Self:
        """Those of all pages, in the order of the parts."""
        return cls(
            Examples.joined([part.pairs for part in parts]),
            Examples.joined([part.plausibility for part in parts]),
            sum(part.written for part in parts),
            sum(part.right for part in parts),
        )

    def of(self, name: Name) -> Examples:
        """The examples of a network."""
        return self.pairs if name == "pairs" else self.plausibility

    def __str__(self) -> str:
        read = f"{self.right:,} of {self.written:,} numbers read right"
        return f"{len(self.pairs.answer):,} pairs, {len(self.plausibility.answer):,} readings, {read}"


Observe = Callable[[int, Scores], None]
"""Called with a page's number and what was found on it."""


class _Remembering(InkNetwork):
    """The network `ink`, asked but once for a picture that is looked at twice in a row."""

    _last: tuple[Gray, Logits] | None = None

    def logits(self, gray: Gray) -> Logits:
        """See InkNetwork."""
        if self._last is None or not np.array_equal(self._last[0], gray):
            self._last = gray.copy(), super().logits(gray)
        return self._last[1]


def collect(
    config: ScoresConfig,
    material: Material,
    ink: InkNetwork,
    observe: Observe = lambda _number, _scores: None,
    part: Part = "learnt",
    pages: Sequence[int] | None = None,
) -> Scores:
    """Draw pages, read them, and note each pair of digits and each number; one page has one seed.

    Args:
        config: what the pages are like.
        material: the part's.
        ink: the network that the Reader looks with.
        observe: called after each page.
        part: whose pages: other seeds, and held-out layouts among the others.
        pages: their numbers; None takes all of the part.
    """
    traces: list[Trace] = []
    reader = Reader(ink=ink, turn=0, front="network", parameters=PARAMETERS, watch=traces.append)
    look = Look(ink, PARAMETERS.paper)
    extra = config.held_out_layouts if part == "held_out" else 0.0
    weights = np.array([extra if name in HELD_OUT else WEIGHTS[name] for name in LAYOUTS])
    found = []
    for number in range(config.count(part)) if pages is None else pages:
        random = np.random.default_rng((config.seed, int(part == "held_out"), number))
        layout = list(LAYOUTS)[random.choice(len(weights), p=weights / weights.sum())]
        height = float(np.exp(random.uniform(*np.log(config.heights))))
        rows, columns = (
            2 * int(random.integers(least // 2, most // 2 + 1))
            for least, most in (config.rows, config.columns)
        )
        gray, _, truth = patches.page(random, material, layout, (rows, columns), height)
        reader.read(gray)
        trace = traces.pop()
        page = find_page(trace.gray, look, False, PARAMETERS.paper)
        scale = trace.gray.shape[1] / gray.shape[1]
        written = [
            replace(one, box=(one.box[0] * scale, one.box[1] * scale, one.box[2] * scale, one.box[3] * scale))
            for one in truth
            if not one.printed
        ]
        found.append(_examples(trace, page, written, layout, number))
        observe(number, found[-1])
    return Scores.joined(found)


def _examples(trace: Trace, page: Page, written: Sequence[Truth], layout: str, number: int) -> Scores:
    """The examples of one page; `written` are its true numbers, in pixels of the picture as read."""
    joined: list[tuple[Floats, bool]] = []
    for row in to_rows(trace.resolved) if layout not in UNLIKE_PAIRS else ():
        owners = [_owner(glyph.box, written) for glyph in row]
        inputs = pairs.features([glyph.box for glyph in row], page)
        for each, (one, other) in zip(inputs, pairwise(owners), strict=True):
            if one is not None and other is not None:
                joined.append((each, one == other))
    read: list[tuple[Floats, bool]] = []
    right: set[int] = set()
    for each, number_read in zip(plausibility.features(trace.numbers, page), trace.numbers, strict=True):
        owner = _owner(number_read.box, written)
        same = owner is not None and _digits(number_read.text) == _digits(written[owner].text)
        read.append((each, same))
        if same and owner is not None:
            right.add(owner)
    return Scores(
        Examples.of(joined, len(pairs.FEATURES), layout, number),
        Examples.of(read, len(plausibility.FEATURES), layout, number),
        len(written),
        len(right),
    )


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


def gather(config: ScoresConfig, data: Path | None, ink: str | Path, part: Part, processes: int) -> Scores:
    """`collect` with worker processes; how many there are changes nothing of what is found.

    Raises:
        DataError: a file of `data` is missing or broken.
        ModelError: no such network `ink`.
    """
    count = config.count(part)
    size = min(SHARE, -(-count // processes))
    shares = [range(start, min(start + size, count)) for start in range(0, count, size)]
    found: dict[int, Scores] = {}
    done = 0
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (config, data, ink, part)) as pool:
        places = {pool.submit(_share, share): share for share in shares}
        try:
            for future in as_completed(places):
                share = places[future]
                found[share.start] = future.result()
                before, done = done, done + len(share)
                if done // NEWS > before // NEWS or done == count:
                    print(f"{part}: {done} pages, {Scores.joined(list(found.values()))}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Scores.joined([found[share.start] for share in shares])


_worker: dict[str, Any] = {}
"""What a worker process has loaded."""


def _begin(config: ScoresConfig, data: Path | None, ink: str | Path, part: Part) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    cv2.setNumThreads(1)
    _worker.update(config=config, part=part, data=data, ink=ink)


def _share(pages: Sequence[int]) -> Scores:
    if "material" not in _worker:  # here an error reaches the parent, in _begin it would not
        _worker["material"] = Material.load(_worker["data"], _worker["part"] == "held_out")
        _worker["network"] = _Remembering.load(_worker["ink"])
    return collect(
        _worker["config"], _worker["material"], _worker["network"], part=_worker["part"], pages=pages
    )
