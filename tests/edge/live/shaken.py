"""Films of a page in a shaking hand, on which something is written or taken away meanwhile."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

RATE = 30
"""Frames a second."""
GRAIN = 3.0
"""Standard deviation of the sensor's noise, in gray levels."""


def shaken(pages: list[Gray], sway: float = 12.0, seed: int = 1) -> Iterator[Gray]:
    """A frame of each page (h, w) uint8, all of one size: shifted, turned, nearer, in other light."""
    random = np.random.default_rng(seed)
    for number, page in enumerate(pages):
        height, width = page.shape
        seconds = number / RATE
        turn, zoom = 0.02 * np.sin(2 * seconds), 1 + 0.02 * np.sin(1.4 * seconds)
        move = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(turn), zoom)
        tremor = 1.5 * np.sin(2 * np.pi * 9 * seconds)
        shift = sway * np.sin(2.5 * seconds) + tremor, sway * np.cos(1.7 * seconds) - tremor
        move = np.column_stack([move[:, :2], move[:, 2] + np.array(shift)])
        view = cv2.warpAffine(page, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        light = 0.95 + 0.05 * np.sin(3 * seconds)
        yield (view * light + random.normal(0, GRAIN, view.shape)).clip(0, 255).astype(np.uint8)
