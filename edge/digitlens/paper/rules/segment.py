"""Ink -> glyphs: pieces of ink that are one sign each, specks and paper's own marks left out."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.readings import Box, union
from digitlens.paper.components import components
from digitlens.paper.page import Glyph, Page
from digitlens.paper.rules.edges import clear_edges
from digitlens.paper.rules.illumination import Window
from digitlens.paper.rules.ink import EDGE, Ink, find_ink, on_edges
from digitlens.paper.rules.lines import remove_lines
from digitlens.paper.stroke_width import stroke_width

Gray = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Points = npt.NDArray[np.int32]

LEAST_HEIGHT = 8
"""Pixels; what is smaller cannot be told from a speck."""
SURE = 0.1
"""Of a piece's ink, that is ink for sure: what is pale all over is no stroke's paler end."""
TEXTURE = 36
"""Gray levels of contrast below which much ink is no writing but the paper's print or weave."""
MANY = 25
"""Pieces that are much."""
MOST_GLYPHS = 1500
"""In a picture; of more, those of the strongest contrast are kept: gravel must not stop the reader."""
LEAST_PART = 0.3
"""Of the typical glyph's height: what is lower is a speck, a dot or a dash."""
WIDEST = 12.0
"""Times its height: the width up to which a piece may be digits, touching or one."""
DOT = 0.07, 0.3
"""Of the typical glyph's height: the longer side of a dot or a comma."""
DOT_CONTRAST = 0.6
"""Of the typical glyph's contrast: that of a dot or a comma at the least."""
SLIVER = 0.25
"""Of its length: the width of a piece of a frame or an edge, at the most."""
BESIDE = 0.065
"""Of the picture's side: how far from its border such a piece is."""
STROKE = 0.06
"""Of the square of its longer side, the ink of a digit's stroke at the least: edges of sheets are finer."""
STRAIGHT = 0.15
"""Of its spread along its main axis, the spread of a straight piece across it at the most."""
BAND = 0.08
"""Of the picture's shorter side: how near to its border a frame's ink is."""
FINER = 0.6
"""Of the writing's pen: how thick it is at the most."""
LARGE = 0.3
"""Of the picture's shorter side, the longer side of a glyph that is looked at more closely."""
LONGEST_STROKE = 5.0
"""Times its box's longer side, the pen's way in a sign or in touching ones: a longer one is a tangle."""
HAIRLINE = 0.022
"""Of its height, the pen of a large sign at the least: what is finer is left of the paper's lines."""
LEAST_CONTRAST = 0.35
"""Of the typical glyph's contrast: what is fainter is grain, a shadow's edge or show-through."""


@dataclass(frozen=True)
class _Piece:
    """Connected ink: its labels in the label image, box, area in pixels, contrast in gray levels."""

    labels: tuple[int, ...]
    box: Box
    area: int
    contrast: float

    def __or__(self, other: "_Piece") -> "_Piece":
        return _Piece(
            self.labels + other.labels,
            union((self.box, other.box)),
            self.area + other.area,
            max(self.contrast, other.contrast),
        )


@dataclass(frozen=True)
class _Typical:
    """The height (pixels) and contrast (gray levels) of most of the picture's ink."""

    height: float
    contrast: float

    @classmethod
    def of(cls, pieces: list[_Piece]) -> "_Typical":
        weights = np.array([piece.box[2] * piece.box[3] * piece.contrast for piece in pieces])
        return cls(
            weighted_median(np.array([float(piece.box[3]) for piece in pieces]), weights),
            weighted_median(np.array([piece.contrast for piece in pieces]), weights),
        )

    def counts(self, piece: _Piece) -> bool:
        """Whether it may be a part of a sign: neither speck nor grain."""
        return max(piece.box[2:]) >= 0.15 * self.height and piece.contrast >= LEAST_CONTRAST * self.contrast

    def one_sign(self, piece: Box, others: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of the boxes (N, 4) are close, above or below, and with `piece` no larger than a sign."""
        left, top, width, height = piece
        x, y, w, h = others.T
        right, bottom = np.maximum(left + width, x + w), np.maximum(top + height, y + h)
        overlap = np.minimum(left + width, x + w) - np.maximum(left, x)
        gap = np.maximum(top, y) - np.minimum(top + height, y + h)
        close: npt.NDArray[np.bool_] = (
            (overlap >= 0.3 * np.minimum(width, w))
            & (gap <= 0.15 * self.height)
            & (bottom - np.minimum(top, y) <= 1.4 * self.height)
            & (right - np.minimum(left, x) <= 1.3 * self.height)
        )
        return close

    def fits(self, piece: _Piece) -> bool:
        """Whether it may be a digit: tall enough, no dash, no blot."""
        width, height = piece.box[2:]
        blot = piece.area > 0.85 * width * height and width > 0.5 * height
        remnant = width < 0.2 * height and height > 1.8 * self.height  # of a line or a sheet's edge
        return (
            height >= max(LEAST_HEIGHT, LEAST_PART * self.height)
            and width <= WIDEST * height
            and not blot
            and not remnant
        )

    def is_dot(self, piece: _Piece) -> bool:
        """Whether it may be a dot or a comma."""
        side = max(piece.box[2:]) / self.height
        filled = piece.area >= 0.4 * piece.box[2] * piece.box[3]
        return DOT[0] <= side <= DOT[1] and filled and piece.contrast >= DOT_CONTRAST * self.contrast


def find_glyphs(gray: Gray) -> list[Glyph]:
    """(H, W) uint8, dark ink on light paper or the reverse -> its glyphs, in no particular order."""
    return find_page(gray).glyphs


def find_page(gray: Gray) -> Page:
    """(H, W) uint8, dark ink on light paper or the reverse -> its ink and its glyphs."""
    ink, mask, glyphs, dots, borders = _segmented(gray)
    # Where a line crosses a digit, the digit's own ink stays.
    lines = cv2.dilate(cv2.subtract(ink.mask, mask), np.ones((3, 3), np.uint8))
    bare = cv2.subtract(ink.contrast, cv2.subtract(lines, mask)).astype(np.uint8, copy=False)
    return Page(ink.contrast, ink.mask, mask, glyphs, dots, borders=borders, bare=bare)


def _segmented(gray: Gray) -> tuple[Ink, Gray, list[Glyph], list[Box], list[Points]]:
    """The ink, its mask without lines, the glyphs, the dots, and the upright lines."""
    if min(gray.shape) < LEAST_HEIGHT:
        blank = np.zeros_like(gray)
        paper, nowhere = np.ones((1, 1), np.float32), (slice(0, 0), slice(0, 0))
        return Ink(blank, blank, blank, blank, blank, paper, nowhere), blank, [], [], []
    ink = find_ink(gray)
    if ink.part[0].stop == 0:
        return ink, ink.mask, [], [], []
    mask, borders = remove_lines(ink.mask, ink.faint, ink.part)
    mask = clear_edges(mask)
    labels, stats, inked = _labeled(mask, ink.part)
    pieces = _pieces(mask, labels, stats, inked, ink)
    pieces = _without_slivers(pieces, labels)
    if not pieces:
        return ink, mask, [], [], []
    typical = _Typical.of(pieces)
    if typical.contrast < TEXTURE and len(pieces) >= MANY:
        return ink, mask, [], [], []
    signs = [piece for piece in _join(pieces, typical) if typical.fits(piece)]
    signs = sorted(signs, key=lambda piece: -piece.contrast)[:MOST_GLYPHS]
    glyphs = [Glyph(piece.box, _crop(ink, labels, piece)) for piece in signs]
    large = LARGE * min(gray.shape)
    glyphs = [glyph for glyph in glyphs if max(glyph.box[2:]) < large or _is_written(glyph)]
    return ink, mask, glyphs, [piece.box for piece in pieces if typical.is_dot(piece)], borders


def _labeled(mask: Gray, part: Window) -> tuple[Labels, Labels, Window]:
    """The labels and stats of the mask's components, and the rows and columns where the ink is.

    It is within `part`. Only where it is does a label say anything.
    """
    x, y, w, h = cv2.boundingRect(mask[part])
    x, y = x + part[1].start, y + part[0].start
    labels = np.empty(mask.shape, np.int32)
    left, top = x - x % 2, y - y % 2  # blocks of two by two pixels are numbered
    inked = slice(top, y + h), slice(left, x + w)
    if not w:
        return labels, np.zeros((1, 5), np.int32), inked
    _, _, stats = components(mask[inked], into=labels[inked])
    stats[:, : cv2.CC_STAT_TOP + 1] += (left, top)
    return labels, stats, inked


def _pieces(mask: Gray, labels: Labels, stats: Labels, inked: Window, ink: Ink) -> list[_Piece]:
    """The connected pieces of ink, without specks, frames around the whole and what ends at the border."""
    height, width = labels.shape
    here, count = np.flatnonzero(mask[inked] != 0), len(stats)  # five times as fast on bools
    named, contrast, deep = (picture[inked].ravel()[here] for picture in (labels, ink.contrast, ink.deep))
    sums = np.bincount(named, contrast, count)
    sure = np.bincount(named, contrast > deep, count)
    x, y, w, h, area = stats.astype(np.int64).T
    thin = ((w > 0.6 * width) | (h > 0.9 * height)) & (area < 0.06 * w * h)
    frame = thin & _cornered(labels, x, y, w, h, np.flatnonzero(thin))
    # A cell's or a sheet's edge, cut by the picture's own: along one border, or around a corner.
    across, down = (x <= 1) | (x + w >= width - 1), (y <= 1) | (y + h >= height - 1)
    border = (across & (w < 0.08 * width)) | (down & (h < 0.08 * height))
    cut = (w >= width - 2) | (across & down & (area < 0.25 * w * h))
    border |= cut & ~_written(labels, np.stack([x, y, w, h], axis=1), area, cut)
    beside = np.minimum(x, width - x - w) < 0.06 * width, np.minimum(y, height - y - h) < 0.06 * height
    border |= (beside[0] & (h >= 0.95 * height) & (w < 0.3 * h)) | (
        beside[1] & (w >= 0.95 * width) & (h < 0.3 * w)
    )
    wanted = (area >= LEAST_HEIGHT) & ~frame & ~border & (sure >= SURE * area)
    wanted[0] = False  # the paper
    found = np.flatnonzero(wanted)
    boxes = np.stack([x, y, w, h], axis=1)
    found = found[~on_edges(ink.paper, (width, height), boxes[found])]
    mean = sums[found] / area[found]
    return [
        _Piece((label,), tuple(box), ink, level)
        for label, box, ink, level in zip(
            found.tolist(), boxes[found].tolist(), area[found].tolist(), mean.tolist(), strict=True
        )
    ]


def _without_slivers(pieces: list[_Piece], labels: Labels) -> list[_Piece]:
    """The pieces without those along the picture's border that are finer than the writing's pen."""
    height, width = labels.shape

    def is_sliver(piece: _Piece) -> bool:
        x, y, w, h = piece.box
        upright = w < SLIVER * h and min(x, width - x - w) < BESIDE * width
        return upright or (h < SLIVER * w and min(y, height - y - h) < BESIDE * height)

    found = {piece.labels for piece in pieces if is_sliver(piece)}
    rest = [piece for piece in pieces if piece.labels not in found]
    if not found or not rest:
        return pieces
    x, y, w, h = max(rest, key=lambda piece: piece.area).box
    pen = stroke_width(np.where(labels[y : y + h, x : x + w] > 0, np.uint8(255), np.uint8(0)))
    return [
        piece
        for piece in pieces
        if piece.labels not in found or piece.area > FINER * pen * max(piece.box[2:])
    ]


def _written(
    labels: Labels, boxes: npt.NDArray[np.int64], area: npt.NDArray[np.int64], which: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which pieces, of those asked, that the picture cuts off are strokes all the same: of a digit close up.

    A stroke is thick for its size, not straight, and most of it is away from the border.
    """
    height, width = labels.shape
    w, h = boxes.T[2:]
    likely = which & (area >= STROKE * np.maximum(w, h) ** 2) & (area < 0.35 * w * h) & (2 * h >= w)
    likely[0] = False
    found = np.zeros(len(area), bool)
    band = round(BAND * min(height, width))
    for label in np.flatnonzero(likely).tolist():
        x, y, wide, high = boxes[label].tolist()
        bottom, right = min(y + high, height - band), min(x + wide, width - band)
        rows, columns = np.nonzero(labels[max(y, band) : bottom, max(x, band) : right] == label)
        if len(rows) > 0.5 * area[label]:
            short, long = np.linalg.eigvalsh(np.cov(rows, columns))
            found[label] = short > STRAIGHT**2 * long
    return found


def _cornered(
    labels: Labels,
    x: npt.NDArray[np.int64],
    y: npt.NDArray[np.int64],
    w: npt.NDArray[np.int64],
    h: npt.NDArray[np.int64],
    which: npt.NDArray[np.intp],
) -> npt.NDArray[np.bool_]:
    """Which pieces, of those asked, have ink in three corners of their box, as a frame has and no digit."""
    found = np.zeros(len(x), bool)
    for label in which[which > 0].tolist():
        box = labels[y[label] : y[label] + h[label], x[label] : x[label] + w[label]] == label
        rows, columns = -(-box.shape[0] // 8), -(-box.shape[1] // 8)
        corners = (
            np.s_[:rows, :columns],
            np.s_[:rows, -columns:],
            np.s_[-rows:, :columns],
            np.s_[-rows:, -columns:],
        )
        found[label] = sum(bool(box[corner].any()) for corner in corners) >= 3
    return found


def _join(pieces: list[_Piece], typical: _Typical) -> list[_Piece]:
    """Put a small piece to its neighbor above or below: the bar of a 5, half of a broken 8."""
    parts = sorted((piece for piece in pieces if typical.counts(piece)), key=lambda piece: -piece.box[3])
    joined: list[_Piece] = []
    boxes = np.zeros((len(parts), 4), np.int64)  # of `joined`, for the search
    for piece in parts:
        if piece.box[3] < 0.7 * typical.height:
            near = np.flatnonzero(typical.one_sign(piece.box, boxes[: len(joined)]))
        else:
            near = np.zeros(0, np.intp)
        if near.size:
            joined[near[0]] |= piece
            boxes[near[0]] = joined[near[0]].box
        else:
            boxes[len(joined)] = piece.box
            joined.append(piece)
    return joined


def _is_written(glyph: Glyph) -> bool:
    """Whether a pen may have made it as a sign: its stroke is no hairline and no longer than in any sign."""
    pen = stroke_width(glyph.ink)
    ink = cv2.countNonZero(cv2.threshold(glyph.ink, 127, 1, cv2.THRESH_BINARY)[1])
    _, _, width, height = glyph.box
    return pen >= HAIRLINE * height and ink <= LONGEST_STROKE * max(width, height) * pen


def weighted_median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """The value that half of the weight lies below; (N,) each, N at least 1."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _crop(ink: Ink, labels: Labels, piece: _Piece) -> Gray:
    """The piece's own ink, whatever else lies in its box; 255 where the contrast is the strongest nearby."""
    x, y, w, h = piece.box
    rows, columns = slice(y, y + h), slice(x, x + w)
    depth = cv2.divide(ink.contrast[rows, columns], ink.edge[rows, columns], scale=255 * EDGE)
    here = labels[rows, columns]
    own = here == piece.labels[0] if len(piece.labels) == 1 else np.isin(here, piece.labels)
    return np.multiply(depth, own, dtype=np.uint8, casting="unsafe")
