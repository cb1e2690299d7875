"""Ink -> glyphs: pieces of ink that are one sign each, specks and paper's own marks left out."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.ink import find_ink
from digitlens.readings import Box, union
from digitlens.rules import remove_lines

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LEAST_HEIGHT = 8
"""Pixels; what is smaller cannot be told from a speck."""
LEAST_PART = 0.3
"""Of the typical glyph's height: what is lower is a speck, a dot or a dash."""
LEAST_CONTRAST = 0.35
"""Of the typical glyph's contrast: what is fainter is grain, a shadow's edge or show-through."""


@dataclass(frozen=True)
class Glyph:
    """One sign on the paper: its box in the picture, its ink (height, width) uint8, white on black."""

    box: Box
    ink: Gray


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
            _weighted_median(np.array([float(piece.box[3]) for piece in pieces]), weights),
            _weighted_median(np.array([piece.contrast for piece in pieces]), weights),
        )

    def counts(self, piece: _Piece) -> bool:
        """Whether it may be a part of a sign: neither speck nor grain."""
        return max(piece.box[2:]) >= 0.15 * self.height and piece.contrast >= LEAST_CONTRAST * self.contrast

    def one_sign(self, piece: Box, other: Box) -> bool:
        """Whether two boxes are close, one above the other, and together no larger than a sign."""
        (left, top, width, height), (x, y, w, h) = piece, other
        both = union((piece, other))
        overlap = min(left + width, x + w) - max(left, x)
        gap = max(top, y) - min(top + height, y + h)
        return (
            overlap >= 0.3 * min(width, w)
            and gap <= 0.15 * self.height
            and both[3] <= 1.4 * self.height
            and both[2] <= 1.3 * self.height
        )

    def fits(self, piece: _Piece) -> bool:
        """Whether it may be a digit: tall enough, no dash, no blot."""
        width, height = piece.box[2:]
        blot = piece.area > 0.85 * width * height and width > 0.5 * height
        remnant = width < 0.2 * height and height > 1.8 * self.height  # of a line or a sheet's edge
        return height >= max(LEAST_HEIGHT, LEAST_PART * self.height) and width <= 2.5 * height and not blot and not remnant


def find_glyphs(gray: Gray) -> list[Glyph]:
    """(H, W) uint8, dark ink on light paper or the reverse -> its glyphs, in no particular order."""
    if min(gray.shape) < LEAST_HEIGHT:
        return []
    ink = find_ink(gray)
    mask = remove_lines(ink.mask, ink.faint)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    pieces = _pieces(count, labels, stats, ink.contrast)
    if not pieces:
        return []
    typical = _Typical.of(pieces)
    return [Glyph(piece.box, _crop(ink.depth, labels, piece)) for piece in _join(pieces, typical) if typical.fits(piece)]


def _pieces(count: int, labels: npt.NDArray[np.int32], stats: npt.NDArray[np.int32], contrast: Floats) -> list[_Piece]:
    height, width = labels.shape
    sums = np.bincount(labels.ravel(), contrast.ravel(), count)
    x, y, w, h, area = stats.T
    wanted = (area >= LEAST_HEIGHT) & (w < 0.6 * width) & (h < 0.9 * height)
    wanted[0] = False
    return [
        _Piece((label,), (int(x[label]), int(y[label]), int(w[label]), int(h[label])), int(area[label]), sums[label] / area[label])
        for label in np.flatnonzero(wanted)
    ]


def _join(pieces: list[_Piece], typical: _Typical) -> list[_Piece]:
    """Put a small piece to its neighbor above or below: the bar of a 5, half of a broken 8."""
    whole = sorted((piece for piece in pieces if typical.counts(piece)), key=lambda piece: -piece.box[3])
    joined: list[_Piece] = []
    for piece in whole:
        for index, other in enumerate(joined):
            if piece.box[3] < 0.7 * typical.height and typical.one_sign(piece.box, other.box):
                joined[index] = other | piece
                break
        else:
            joined.append(piece)
    return joined


def _weighted_median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _crop(depth: Gray, labels: npt.NDArray[np.int32], piece: _Piece) -> Gray:
    """The piece's own ink, whatever else lies in its box."""
    x, y, w, h = piece.box
    here = np.isin(labels[y : y + h, x : x + w], piece.labels)
    return np.where(here, depth[y : y + h, x : x + w], 0).astype(np.uint8)
