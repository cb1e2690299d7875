"""Which way is up: of four quarter turns, the one in which the digit network knows the most glyphs."""

from collections.abc import Callable, Sequence

import numpy as np

from digitlens.config.parameters.glyphs import OrientationParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.core.readings import Box
from digitlens.paper.page import Glyph

DEFAULT = OrientationParameters()

Classify = Callable[[list[Glyph]], Floats]
"""N glyphs -> (N, 10) float32, the probability of each digit."""


def upright_turn(
    glyphs: Sequence[Glyph], classify: Classify, parameters: OrientationParameters = DEFAULT
) -> int:
    """Counterclockwise quarter turns, 0 to 3, after which the page of these glyphs stands upright.

    0 unless another turn is much likelier: each glyph gives the log-probability of its best digit.
    """
    single = [glyph for glyph in glyphs if glyph.box[2] <= 1.6 * glyph.box[3] <= 1.6**2 * 4 * glyph.box[2]]
    chosen = sorted(single or glyphs, key=lambda glyph: -glyph.box[2] * glyph.box[3])[: parameters.sample]
    if not chosen:
        return 0
    upright = _score(chosen, classify, parameters)
    if upright.mean() >= np.log(parameters.sure):
        return 0
    scores = [float(upright.sum())]
    for turn in (1, 2, 3):
        turned = [
            Glyph(glyph.box, np.ascontiguousarray(np.rot90(glyph.ink, turn)), glyph.classes)
            for glyph in chosen
        ]
        scores.append(float(_score(turned, classify, parameters).sum()))
    best = int(np.argmax(scores))
    return best if scores[best] - scores[0] >= parameters.least_odds else 0


def _score(glyphs: list[Glyph], classify: Classify, parameters: OrientationParameters) -> Floats:
    """(N,) float32, the log-probability of each glyph's best digit, nats."""
    best = classify(glyphs).max(axis=1)
    scores: Floats = np.log(np.maximum(best, np.float32(parameters.floor)))
    return scores


def turned(gray: Gray, turn: int) -> Gray:
    """(H, W) uint8 after so many counterclockwise quarter turns."""
    return np.ascontiguousarray(np.rot90(gray, turn))


def turned_back(box: Box, turn: int, size: tuple[int, int]) -> Box:
    """A box of the turned picture in the picture of this size (width, height) before it was turned."""
    x, y, w, h = box
    width, height = size
    if turn == 1:
        return width - y - h, x, h, w
    if turn == 2:
        return width - x - w, height - y - h, w, h
    if turn == 3:
        return y, height - x - w, h, w
    return box
