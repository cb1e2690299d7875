"""Patches of generated paper to learn from, which worker processes go on drawing while a network learns."""

import os
import signal
from multiprocessing import get_context, parent_process
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty, Full
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from digitlens_train.data import DataError
from digitlens_train.paper import patches
from digitlens_train.paper.classes import IGNORED
from digitlens_train.paper.material import Material

STACK = 32
"""Patches that a worker hands over at once."""
PHOTOS = 2
"""Photos of one canvas, which takes longer to draw than to photograph."""
NICENESS = 3
"""How much nicer the workers are than the learner; with 10, another program on the same core starves them."""
PATIENCE = 1.0
"""After so long without news, worker and learner look whether the other still lives, seconds."""

Patches = tuple[Gray, Gray]
"""Pictures (N, side, side) and their classes (N, side / 2, side / 2)."""


class PatchPool:
    """The latest `size` patches; a new one takes the oldest one's place.

    Args:
        data: the folder of Material.load, of which the learnt part is used.
        side: of a patch, pixels.
        size: patches that are kept.
        seed: of the patches; each worker draws its own.
        processes: workers.

    Attributes:
        drawn: patches that were drawn so far.
    """

    def __init__(
        self, data: Path | None, side: int, size: int, seed: tuple[int, ...], processes: int
    ) -> None:
        size = -(-size // STACK) * STACK
        self._gray: Gray = np.zeros((size, side, side), np.uint8)
        self._classes: Gray = np.full((size, side // 2, side // 2), IGNORED, np.uint8)
        self.drawn = 0
        context = get_context("spawn")
        self._queue: Queue[Patches] = context.Queue(4 * processes)
        self._workers = [
            context.Process(target=_work, args=(data, side, (*seed, number), self._queue), daemon=True)
            for number in range(processes)
        ]
        for worker in self._workers:
            worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join()

    def refill(self, least: int = 1) -> None:
        """Take what the workers have drawn; wait only while there are fewer than `least` patches.

        Raises:
            DataError: a worker has ended.
        """
        while True:
            try:
                stack = self._queue.get(self.drawn < least, PATIENCE)
            except Empty:
                if any(not worker.is_alive() for worker in self._workers):
                    raise DataError("a process that draws patches has ended; see its message above") from None
                if self.drawn >= least:
                    return
                continue
            start = self.drawn % len(self._gray)
            self._gray[start : start + STACK], self._classes[start : start + STACK] = stack
            self.drawn += STACK

    def choose(self, random: np.random.Generator, count: int) -> Patches:
        """Patches drawn at random from the pool."""
        chosen = random.integers(0, min(self.drawn, len(self._gray)), count)
        return self._gray[chosen], self._classes[chosen]


def draw(
    random: np.random.Generator, material: Material, side: int, count: int, photos: int = PHOTOS
) -> Patches:
    """So many patches, of `photos` photos of each canvas."""
    pairs: list[tuple[Gray, Gray]] = []
    while len(pairs) < count:
        pairs += patches.several(random, material, photos, side)
    gray, classes = zip(*pairs[:count], strict=True)
    return np.stack(gray), np.stack(classes)


def _work(data: Path | None, side: int, seed: tuple[int, ...], queue: "Queue[Patches]") -> None:
    """Draw stacks of patches until the learner ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the learner ends the workers
    os.nice(NICENESS)
    cv2.setNumThreads(1)
    queue.cancel_join_thread()
    learner = parent_process()
    random, material = np.random.default_rng(seed), Material.load(data)
    while True:
        stack = draw(random, material, side, STACK)
        while True:
            try:
                queue.put(stack, timeout=PATIENCE)
                break
            except Full:
                if learner is None or not learner.is_alive():
                    return
