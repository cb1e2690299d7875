"""A picture's ink -> glyphs: connected ink that may be a sign, and what stands around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.readings import Box, union
from digitlens.paper.components import (
    AT_ONCE,
    Components,
    Labels,
    components,
    heights_around,
    with_scraps,
)
from digitlens.paper.ink import Ink, find_ink, without_lines
from digitlens.paper.network import DIGIT, LINE, PRINT, STEP, WRITING, PixelClassifier

DEFAULT = PaperParameters()

Points = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Glyph:
    """One sign on the paper: its box in the picture, its ink (height, width) uint8, white on black.

    `classes` are the network's mean probabilities that its ink is a digit's, other handwriting, and print.
    """

    box: Box
    ink: Gray
    classes: tuple[float, float, float] = (1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Page:
    """A picture's glyphs, and what the reader needs to know of the paper around them.

    Args:
        contrast: (H, W) uint8, how much darker than its paper a pixel is, 0 where lines and print are.
        ink: (H, W) uint8, 255 where any ink is.
        mask: (H, W) uint8, 255 where ink is that may be a digit's.
        glyphs: in no particular order.
        dots: boxes of what may be a dot or a comma.
        others: boxes of print and other writing, lines excepted.
        lines: (ceil(H / 2), ceil(W / 2)) uint8, 255 where a line is.
        probabilities: as Ink's.
        borders: upright lines, each (N, 2) x and y of points along it, where the front follows them.
        bare: (H, W) uint8, the contrast without the paper's lines; None where `contrast` has none.
    """

    contrast: Gray
    ink: Gray
    mask: Gray
    glyphs: list[Glyph] = field(default_factory=list)
    dots: list[Box] = field(default_factory=list)
    others: list[Box] = field(default_factory=list)
    lines: Gray = field(default_factory=lambda: np.zeros((1, 1), np.uint8))
    probabilities: Floats = field(default_factory=lambda: np.zeros((1, 1, 4), np.float32))
    borders: list[Points] = field(default_factory=list)
    bare: Gray | None = None

    def without(self, signs: Sequence[Glyph]) -> "Page":
        """The page on which these glyphs, or parts of glyphs, are other writing."""
        if not signs:
            return self
        mask = self.mask.copy()
        for sign in signs:
            _spot(mask, sign)[sign.ink > 0] = 0
        kept = [glyph for glyph in self.glyphs if _left(mask, glyph) >= 0.5]
        contrast = _faded(self.contrast, cv2.subtract(self.mask, mask).astype(np.uint8, copy=False), mask)
        others = [*self.others, *(sign.box for sign in signs)]
        return replace(self, contrast=contrast, mask=mask, glyphs=kept, others=others)


@dataclass(frozen=True)
class _Pieces:
    """Connected ink: boxes (N, 4), areas (N,) in pixels, classes (N, 3), labels in the label image (N,)."""

    boxes: npt.NDArray[np.int64]
    areas: npt.NDArray[np.int64]
    classes: Doubles
    labels: npt.NDArray[np.int64]

    def chosen(self, which: npt.NDArray[np.bool_]) -> "_Pieces":
        return _Pieces(self.boxes[which], self.areas[which], self.classes[which], self.labels[which])


def find_page(
    gray: Gray, network: PixelClassifier, printed: bool = False, parameters: PaperParameters = DEFAULT
) -> Page:
    """(H, W) uint8, dark ink on light paper or the reverse -> its ink and its glyphs.

    Args:
        gray: the picture.
        network: the network `ink`, or what asks it.
        printed: print may be digits, too.
        parameters: which pieces become glyphs.
    """
    ink = find_ink(gray, network.logits(gray), network.scale, parameters.edge, parameters.faintest)
    lines = np.where(
        ink.probabilities[..., LINE - 1] > ink.probabilities[..., : LINE - 1].max(axis=2), 255, 0
    )
    lines = lines.astype(np.uint8)
    found, lines = with_scraps(components(without_lines(ink)), ink.mask, lines, parameters)
    labels, pieces = found.labels, _pieces(found, ink.probabilities)
    pieces = pieces.chosen(pieces.areas >= parameters.smallest_area)
    if not len(pieces.areas):
        nothing = np.zeros_like(gray)
        return Page(nothing, ink.mask, nothing, lines=lines, probabilities=ink.probabilities)
    is_digit, is_print = pieces.classes[:, DIGIT - 1], pieces.classes[:, PRINT - 1]
    wanted = is_digit + is_print >= parameters.least_digit if printed else is_digit >= parameters.least_digit
    kept = np.zeros(int(labels.max()) + 1, np.uint8)
    kept[pieces.labels[wanted]] = 255
    mask = kept[labels]
    others = [tuple(box) for box in pieces.boxes[~wanted].tolist()]
    contrast = _faded(ink.contrast, cv2.subtract(ink.mask, mask).astype(np.uint8, copy=False), mask)
    writing = pieces.chosen(wanted)
    heights = local_heights(writing.boxes)
    glyphs = _glyphs(writing, heights, labels, ink, parameters)
    dots = _dots(pieces.boxes, writing.boxes, heights, parameters.largest_dot)
    return Page(contrast, ink.mask, mask, glyphs, dots, others, lines, ink.probabilities)


def _faded(contrast: Gray, gone: Gray, kept: Gray) -> Gray:
    """The contrast without what is gone and its edges: a crop of a row shows its digits alone."""
    edges = cv2.dilate(gone, np.ones((5, 5), np.uint8))
    return cv2.subtract(contrast, cv2.subtract(edges, cv2.dilate(kept, np.ones((3, 3), np.uint8)))).astype(
        np.uint8, copy=False
    )


def _spot(mask: Gray, glyph: Glyph) -> Gray:
    x, y, width, height = glyph.box
    return mask[y : y + height, x : x + width]


def _left(mask: Gray, glyph: Glyph) -> float:
    """The part of a glyph's ink that the mask holds."""
    inked = glyph.ink > 0
    return float(np.count_nonzero(_spot(mask, glyph)[inked])) / max(1, int(np.count_nonzero(inked)))


def _dots(
    boxes: npt.NDArray[np.int64], writing: npt.NDArray[np.int64], heights: Doubles, largest: float
) -> list[Box]:
    """Of boxes (N, 4) the dots and commas, beside the nearest writing (M, 4) of these heights (M,)."""
    sides = boxes[:, 2:].max(axis=1, initial=0)
    tall = writing[:, 3] >= heights / 2
    if not tall.any():
        return []
    small = boxes[sides <= largest * heights[tall].max()]
    middles, others = (part[:, :2] + part[:, 2:] / 2 for part in (small, writing[tall]))
    nearest = np.zeros(len(small), np.intp)
    for start in range(0, len(small), AT_ONCE):
        away = np.abs(middles[start : start + AT_ONCE, np.newaxis] - others).sum(axis=2)
        nearest[start : start + AT_ONCE] = away.argmin(axis=1)
    near = heights[tall][nearest]
    chosen = small[small[:, 2:].max(axis=1, initial=0) <= largest * near]
    return [tuple(box) for box in chosen.tolist()]


def _pieces(strokes: Components, probabilities: Floats) -> _Pieces:
    """The pieces of connected ink with their mean classes."""
    count, labels, stats = strokes
    # Every second row is enough to tell whose ink it is.
    rows, columns = np.nonzero(labels[::STEP])
    named = labels[STEP * rows, columns]
    each = probabilities[rows, columns // STEP, :3]
    sums = np.stack([np.bincount(named, each[:, k], count) for k in range(3)], axis=1).astype(np.float64)
    sums /= np.maximum(sums.sum(axis=1, keepdims=True), 1e-9)
    boxes = stats[:, :4].astype(np.int64)
    pieces = _Pieces(boxes, stats[:, cv2.CC_STAT_AREA].astype(np.int64), sums, np.arange(count))
    real = np.ones(count, bool)
    real[0] = False
    return pieces.chosen(real)


def local_heights(boxes: npt.NDArray[np.int64]) -> Doubles:
    """(N, 4) boxes -> (N,): the height of the writing around each, itself included, pixels."""
    return heights_around(boxes, boxes)


def _glyphs(
    pieces: _Pieces, heights: Doubles, labels: Labels, ink: Ink, parameters: PaperParameters
) -> list[Glyph]:
    """Pieces as glyphs: low ones joined to a neighbor above or below (the bar of a 5), specks left out."""
    order = np.argsort(-pieces.boxes[:, 3], kind="stable")
    groups: list[list[int]] = []
    boxes = np.zeros((len(order), 4), np.int64)
    for index in order.tolist():
        box, height = pieces.boxes[index], float(heights[index])
        near = np.zeros(0, np.intp)
        if box[3] < parameters.low_piece * height:
            near = np.flatnonzero(_one_sign(box, boxes[: len(groups)], height, parameters))
        if near.size:
            groups[near[0]].append(index)
            boxes[near[0]] = union((tuple(boxes[near[0]].tolist()), tuple(box.tolist())))
        else:
            boxes[len(groups)] = box
            groups.append([index])
    glyphs = []
    for group, box in zip(groups, boxes.tolist(), strict=False):
        height = float(heights[group[0]])
        if box[3] < max(parameters.least_height, parameters.least_part * height):
            continue
        if box[2] > parameters.widest * box[3]:
            continue
        weights = pieces.areas[group].astype(np.float64)
        classes = (pieces.classes[group] * weights[:, np.newaxis]).sum(axis=0) / weights.sum()
        shares = (float(classes[0]), float(classes[WRITING - 1]), float(classes[PRINT - DIGIT]))
        glyphs.append(Glyph(tuple(box), _crop(ink, labels, tuple(box), pieces.labels[group]), shares))
    glyphs.sort(key=lambda glyph: -glyph.box[2] * glyph.box[3])
    return glyphs[: parameters.most_glyphs]


def _one_sign(
    piece: npt.NDArray[np.int64], others: npt.NDArray[np.int64], height: float, parameters: PaperParameters
) -> npt.NDArray[np.bool_]:
    """Which of the boxes (N, 4) are close, above or below, and with `piece` no larger than a sign."""
    left, top, width, tall = piece
    x, y, w, h = others.T
    right, bottom = np.maximum(left + width, x + w), np.maximum(top + tall, y + h)
    overlap = np.minimum(left + width, x + w) - np.maximum(left, x)
    gap = np.maximum(top, y) - np.minimum(top + tall, y + h)
    close: npt.NDArray[np.bool_] = (
        (overlap >= 0.3 * np.minimum(width, w))
        & (gap <= parameters.join_gap * height)
        & (bottom - np.minimum(top, y) <= parameters.tallest_sign * height)
        & (right - np.minimum(left, x) <= parameters.tallest_sign * height)
    )
    return close


def _crop(ink: Ink, labels: Labels, box: Box, own: npt.NDArray[np.int64]) -> Gray:
    """The ink of these labels in a box, 255 where its contrast is that of the ink nearby."""
    x, y, w, h = box
    rows, columns = slice(y, y + h), slice(x, x + w)
    depth = cv2.divide(ink.contrast[rows, columns], ink.level[rows, columns], scale=255)
    here = labels[rows, columns]
    inside = here == own[0] if len(own) == 1 else np.isin(here, own)
    return np.multiply(depth, inside, dtype=np.uint8, casting="unsafe")
