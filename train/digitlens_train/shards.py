"""Strips to learn from, drawn ahead by other processes, in parts that are kept while they are needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.rows import recognizer
from digitlens.rows.recognizer import BLANK, STEP
from digitlens_train import row_photos
from digitlens_train.crops import Sources
from digitlens_train.row_photos import LONGEST, UNKNOWN

Gray = npt.NDArray[np.uint8]
Strips = dict[int, tuple[Gray, Gray]]
"""By width: pictures (N, 32, width), and targets (N, LONGEST + width / 2): the labels, then each column's."""


@dataclass(frozen=True)
class Plan:
    """Parts of `part` strips; each epoch adds `fresh` parts and learns the last `window` of all."""

    part: int
    fresh: int
    window: int
    seed: int

    def of(self, epoch: int) -> range:
        """The parts that an epoch learns, which are counted from 0."""
        end = (epoch + 1) * self.fresh
        return range(max(0, end - self.window), end)

    def learnt(self, epochs: int) -> int:
        """How many strips are learnt in so many epochs, each as often as it is."""
        return self.part * sum(len(self.of(epoch)) for epoch in range(epochs))


class Parts:
    """The strips in parts, drawn ahead by other processes and kept in a folder while they are needed."""

    def __init__(self, sources: Sources, plan: Plan, folder: Path, processes: int) -> None:
        self._plan, self._folder = plan, folder
        folder.mkdir(exist_ok=True)
        self._pool: Pool = get_context("spawn").Pool(processes, _prepare, (sources,))
        self._coming: dict[int, AsyncResult[Any]] = {}

    def each(self, epoch: int) -> dict[int, Strips]:
        """The parts of this epoch, by their numbers; those of the next are drawn meanwhile."""
        numbers = self._plan.of(epoch)
        for number in range(numbers.start, numbers.stop + self._plan.fresh):
            if number not in self._coming and not self._path(number).exists():
                job = self._path(number), self._plan.part, (self._plan.seed, number)
                self._coming[number] = self._pool.apply_async(_draw_part, (job,))
        for old in self._folder.glob("part-*.npz"):
            if int(old.stem[5:]) < numbers.start:
                old.unlink()
        loaded = {}
        for number in numbers:
            if number in self._coming:
                self._coming.pop(number).get()
            loaded[number] = load(self._path(number))
        return loaded

    def window(self, epoch: int) -> Strips:
        """The same as one."""
        return joined(list(self.each(epoch).values()))

    def close(self) -> None:
        """Let the processes end, whatever they are at; a part is there whole or not at all."""
        self._pool.terminate()
        self._pool.join()

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number:05}.npz"


_sources: Sources


def _prepare(sources: Sources) -> None:
    global _sources
    _sources = sources
    cv2.setNumThreads(1)


def _draw_part(job: tuple[Path, int, tuple[int, int]]) -> None:
    path, size, seed = job
    random = np.random.default_rng(seed)
    save(path, [row_photos.make(_sources, random) for _ in range(size)])


def joined(loaded: list[Strips]) -> Strips:
    """Parts as one."""
    return {
        width: (
            np.concatenate([part[width][0] for part in loaded]),
            np.concatenate([part[width][1] for part in loaded]),
        )
        for width in recognizer.WIDTHS
    }


def shuffled(
    learning: Strips, pixels: int, random: np.random.Generator
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """The strips in batches of about so many columns of pixels, in random order: a width, and which of it."""
    batches = []
    for width, (x, _) in learning.items():
        size = max(1, pixels // width)
        order = random.permutation(len(x))
        batches += [(width, order[k * size : (k + 1) * size]) for k in range(len(x) // size)]
    for number in random.permutation(len(batches)):
        yield batches[number]


def save(path: Path, drawn: list[row_photos.Strip]) -> None:
    """Strips as an npz, padded to the next width; whole or not at all."""
    arrays: dict[str, Gray] = {}
    for width, narrower in zip(recognizer.WIDTHS, (0, *recognizer.WIDTHS), strict=False):
        of_it = [strip for strip in drawn if narrower < strip.picture.shape[1] <= width]
        x = np.zeros((len(of_it), recognizer.HEIGHT, width), np.uint8)
        y = np.full((len(of_it), LONGEST + width // STEP), UNKNOWN, np.uint8)
        for k, strip in enumerate(of_it):
            x[k, :, : strip.picture.shape[1]] = strip.picture
            y[k, : len(strip.labels)] = strip.labels
            y[k, LONGEST:] = BLANK
            y[k, LONGEST : LONGEST + len(strip.columns)] = strip.columns
        arrays[f"x{width}"], arrays[f"y{width}"] = x, y
    partial = path.with_name(f"partial-{path.name}")
    np.savez(partial, **arrays)
    partial.replace(path)


def load(path: Path) -> Strips:
    """What `save` has written."""
    with np.load(path, allow_pickle=False) as arrays:
        return {width: (arrays[f"x{width}"], arrays[f"y{width}"]) for width in recognizer.WIDTHS}
