"""Row images to learn from, drawn ahead by worker processes, in shards kept only while epochs use them."""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens.rows import recognizer
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import NETWORK_BLANK, STEP
from digitlens_train import row_photos
from digitlens_train.crops import Sources
from digitlens_train.row_photos import MAX_LABELS
from digitlens_train.traced_writing import UNKNOWN

Dataset = dict[int, tuple[Gray, Gray]]
"""By width: pictures (N, HEIGHT, width) and targets (N, MAX_LABELS + width / STEP), labels then columns."""


@dataclass(frozen=True)
class Plan:
    """Shards of `shard_size` rows; each epoch adds `new_shards` and learns the latest `window` shards."""

    shard_size: int
    new_shards: int
    window: int
    seed: int

    def of(self, epoch: int) -> range:
        """The shards of an epoch; epochs and shards count from 0."""
        end = (epoch + 1) * self.new_shards
        return range(max(0, end - self.window), end)

    def rows_learned(self, epochs: int) -> int:
        """Rows learned in so many epochs, repetitions included."""
        return self.shard_size * sum(len(self.of(epoch)) for epoch in range(epochs))


class Shards:
    """Draws the shards of coming epochs in `processes` workers and keeps them in `folder`."""

    def __init__(self, sources: Sources, plan: Plan, folder: Path, processes: int) -> None:
        self._plan, self._folder = plan, folder
        folder.mkdir(exist_ok=True)
        self._pool: Pool = get_context("spawn").Pool(processes, _prepare, (sources,))
        self._coming: dict[int, AsyncResult[Any]] = {}

    def of(self, epoch: int) -> dict[int, Dataset]:
        """The epoch's shards by number; the next epoch's are drawn meanwhile."""
        numbers = self._plan.of(epoch)
        for number in range(numbers.start, numbers.stop + self._plan.new_shards):
            if number not in self._coming and not self._path(number).exists():
                job = self._path(number), self._plan.shard_size, (self._plan.seed, number)
                self._coming[number] = self._pool.apply_async(_draw_shard, (job,))
        for old in self._folder.glob("shard-*.npz"):
            if int(old.stem.removeprefix("shard-")) < numbers.start:
                old.unlink()
        loaded = {}
        for number in numbers:
            if number in self._coming:
                self._coming.pop(number).get()
            loaded[number] = load(self._path(number))
        return loaded

    def window(self, epoch: int) -> Dataset:
        """The epoch's shards as one data set."""
        return joined(list(self.of(epoch).values()))

    def close(self) -> None:
        """Terminate the workers; `save` is atomic, so no shard is left incomplete."""
        self._pool.terminate()
        self._pool.join()

    def _path(self, number: int) -> Path:
        return self._folder / f"shard-{number:05}.npz"


_sources: Sources


def _prepare(sources: Sources) -> None:
    """Give a worker its sources once; OpenCV's own threads would only compete for the cores."""
    global _sources
    _sources = sources
    cv2.setNumThreads(1)


def _draw_shard(job: tuple[Path, int, tuple[int, int]]) -> None:
    path, size, seed = job
    random = np.random.default_rng(seed)
    save(path, [row_photos.make(_sources, random) for _ in range(size)])


def joined(loaded: list[Dataset]) -> Dataset:
    """Concatenate shards."""
    return {
        width: (
            np.concatenate([shard[width][0] for shard in loaded]),
            np.concatenate([shard[width][1] for shard in loaded]),
        )
        for width in recognizer.WIDTHS
    }


def shuffled(
    learning: Dataset, batch_pixels: int, random: np.random.Generator
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Batches of about `batch_pixels` pixel columns in random order: a width and indices into its rows."""
    batches = []
    for width, (x, _) in learning.items():
        size = max(1, batch_pixels // width)
        order = random.permutation(len(x))
        batches += [(width, order[k * size : (k + 1) * size]) for k in range(len(x) // size)]
    for number in random.permutation(len(batches)):
        yield batches[number]


def save(path: Path, drawn: list[row_photos.RowImage]) -> None:
    """Write rows as an npz, each padded to the next of WIDTHS; the file is replaced atomically."""
    arrays: dict[str, Gray] = {}
    for width, narrower in zip(recognizer.WIDTHS, (0, *recognizer.WIDTHS), strict=False):
        rows = [row for row in drawn if narrower < row.picture.shape[1] <= width]
        x = np.zeros((len(rows), CROP_HEIGHT, width), np.uint8)
        y = np.full((len(rows), MAX_LABELS + width // STEP), UNKNOWN, np.uint8)
        for k, row in enumerate(rows):
            x[k, :, : row.picture.shape[1]] = row.picture
            y[k, : len(row.labels)] = row.labels
            y[k, MAX_LABELS:] = NETWORK_BLANK
            y[k, MAX_LABELS : MAX_LABELS + len(row.columns)] = row.columns
        arrays[f"x{width}"], arrays[f"y{width}"] = x, y
    partial = path.with_name(f"partial-{path.name}")
    np.savez(partial, **arrays)
    partial.replace(path)


def load(path: Path) -> Dataset:
    """Read a file of `save`."""
    with np.load(path, allow_pickle=False) as arrays:
        return {width: (arrays[f"x{width}"], arrays[f"y{width}"]) for width in recognizer.WIDTHS}
