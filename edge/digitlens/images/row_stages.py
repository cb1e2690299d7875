"""A row as the row network saw it, as a picture: crop, columns, hypotheses, decision."""

import cv2
import numpy as np

from digitlens.core.arrays import Gray, Pixels
from digitlens.core.row_trace import HypothesisTrace, RowTrace

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "separator", "other", "blank")
COLUMN = 2
"""Width of a network's column in the crop, in pixels; more where the crop was narrowed for the network."""
ZOOM = 4
CLASS_HEIGHT = 16
LEFT = 84
"""Width of the class labels, in pixels."""
LINE = 20
"""Height of a line of text, in pixels."""
NARROWEST = 640
SHOWN = 10
"""Hypotheses that are listed."""
INK, CHOSEN, FAINT = (30, 30, 30), (0, 120, 0), (150, 150, 150)


def draw_row(row: RowTrace) -> Pixels:
    """A row's trace -> (H, W, 3) BGR: the crop, below it its columns' probabilities, and the hypotheses."""
    crop, columns = _crop(row.crop), _columns(row)
    lines = _lines(row)
    width = LEFT + max(NARROWEST, crop.shape[1], columns.shape[1]) + LINE // 2
    top = LINE // 2
    canvas = np.full((top + len(crop) + len(columns) + (len(lines) + 2) * LINE, width, 3), 255, np.uint8)
    for part in (crop, columns):
        canvas[top : top + len(part), LEFT : LEFT + part.shape[1]] = part
        top += len(part)
    for index, name in enumerate(CLASSES):
        baseline = top - (len(CLASSES) - index) * CLASS_HEIGHT + CLASS_HEIGHT - 4
        _write(canvas, name, (6, baseline), INK)
    for text, color in lines:
        top += LINE
        for left, cell in text:
            _write(canvas, cell, (left, top + 4), color)
    return canvas


def _crop(crop: Gray) -> Pixels:
    size = crop.shape[1] * ZOOM, crop.shape[0] * ZOOM
    large = cv2.resize(crop, size, interpolation=cv2.INTER_NEAREST)
    return cv2.cvtColor(large, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)


def _columns(row: RowTrace) -> Pixels:
    """A line per class, aligned with the crop above: dark is 0, bright is 1."""
    width = row.crop.shape[1]
    step = max(COLUMN, width / len(row.columns))
    seen = row.columns[: int(np.ceil(width / step))]
    levels = np.rint(seen.T * 255).astype(np.uint8)
    size = round(len(seen) * step * ZOOM), len(levels) * CLASS_HEIGHT
    large = cv2.resize(levels, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.applyColorMap(large, cv2.COLORMAP_VIRIDIS), np.uint8)


def _lines(row: RowTrace) -> list[tuple[list[tuple[int, str]], tuple[int, int, int]]]:
    """Lines of text: cells with their left edges, and the line's color."""
    lines = [
        ([(6, "lattice"), (130, row.lattice or "nothing")], INK),
        ([(6, "row network"), (130, row.row_network or "nothing")], INK),
        ([(6, "taken"), (130, f"{row.chosen or 'nothing'}   ({row.reason})")], CHOSEN),
        ([(6, "score / nats"), (130, "hypothesis"), (420, "source")], FAINT),
    ]
    lines += [
        (_cells(hypothesis), CHOSEN if hypothesis.chosen else INK) for hypothesis in row.hypotheses[:SHOWN]
    ]
    return lines


def _cells(hypothesis: HypothesisTrace) -> list[tuple[int, str]]:
    score = "-" if hypothesis.score is None else f"{hypothesis.score:.2f}"
    taken = "   taken" if hypothesis.chosen else ""
    return [(6, score), (130, hypothesis.text or "nothing"), (420, hypothesis.source + taken)]


def _write(canvas: Pixels, text: str, at: tuple[int, int], color: tuple[int, int, int]) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)
