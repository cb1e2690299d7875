"""The class of each pixel of a page's ink, as the trace shows it."""

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from digitlens.paper.network import DIGIT, LINE, PAPER, STEP
from digitlens.paper.page import Page


def kinds(page: Page) -> Gray:
    """(H, W) uint8: DIGIT, WRITING, PRINT or LINE where a page has ink, else PAPER.

    Where no network has looked at the page, ink that is left out is a line's, and all other may be digits'.
    """
    height, width = page.ink.shape
    halved = -(-height // STEP), -(-width // STEP)
    if page.probabilities.shape[:2] != halved:
        left_out = np.where(page.ink > 0, np.uint8(LINE), np.uint8(PAPER))
        return np.where(page.mask > 0, np.uint8(DIGIT), left_out)
    best = page.probabilities.argmax(axis=2).astype(np.uint8) + np.uint8(DIGIT)
    large = cv2.resize(best, (halved[1] * STEP, halved[0] * STEP), interpolation=cv2.INTER_NEAREST)
    return np.where(page.ink > 0, large[:height, :width], np.uint8(PAPER))
