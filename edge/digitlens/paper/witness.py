"""How well a reading fits what the network sees: whether its digits lie on digits' ink, and on all of it."""

from collections.abc import Sequence

import cv2
import numpy as np

from digitlens.core.arrays import Floats
from digitlens.core.readings import Box
from digitlens.paper.network import DIGIT, LINE, PAPER, STEP, Logits


class Witness:
    """The network's classes of a picture, as a measure of readings of it.

    Args:
        logits: (ceil(H / 2), ceil(W / 2), 5) int16, in steps of `scale` nats.
        scale: nats for one step.
    """

    def __init__(self, logits: Logits, scale: float) -> None:
        kinds = logits.argmax(axis=2)
        self._inked = kinds != PAPER
        self._lines = np.where(kinds == LINE, np.uint8(255), np.uint8(0))
        self._written = self._inked & (kinds != LINE)
        self._digits: Floats = np.zeros(kinds.shape, np.float32)
        rows, columns = np.nonzero(self._inked)
        inks = logits[rows, columns, 1:].astype(np.float32)
        each = np.exp((inks - inks.max(axis=1, keepdims=True)) * np.float32(scale))
        self._digits[rows, columns] = each[:, DIGIT - 1] / each.sum(axis=1)

    def has_uprights(self, length: float) -> bool:
        """Whether it sees lines that run upright for `length` pixels of the picture."""
        kernel = np.ones((max(1, round(length / STEP)), 1), np.uint8)
        return bool(cv2.countNonZero(cv2.erode(self._lines, kernel, borderValue=(0,))))

    def fit(self, boxes: Sequence[Box], confidences: Sequence[float]) -> float:
        """How well digits with these boxes (pixels of the picture) and confidences fit, 0 to 1.

        The part of all digits' ink that is in the boxes, times the part of the ink in the boxes that is no
        line's, times the mean confidence.
        """
        if not boxes:
            return 0.0
        inside = np.zeros(self._inked.shape, bool)
        for x, y, width, height in boxes:
            rows = slice(max(0, y // STEP), max(0, -(-(y + height) // STEP)))
            inside[rows, max(0, x // STEP) : max(0, -(-(x + width) // STEP))] = True
        everywhere = float(self._digits.sum())
        inked = np.count_nonzero(inside & self._inked)
        if not inked or not everywhere:
            return 0.0
        covered = float(self._digits[inside].sum()) / everywhere
        clean = np.count_nonzero(inside & self._written) / inked
        return covered * clean * float(np.mean(confidences))
