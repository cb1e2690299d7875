"""The original notebook's front, for models that know no other ink: an adaptive threshold."""

import cv2
import numpy as np

from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Gray
from digitlens.paper.page import Glyph, Page

DEFAULT = PaperParameters()


def threshold_page(gray: Gray, parameters: PaperParameters = DEFAULT) -> Page:
    """(H, W) uint8, dark ink on light paper -> every connected piece of ink as a glyph."""
    if min(gray.shape) < parameters.least_height:
        return Page(np.zeros_like(gray), np.zeros_like(gray), np.zeros_like(gray))
    soft = cv2.GaussianBlur(gray, (5, 5), 0).astype(np.uint8, copy=False)
    block = max(3, round(min(gray.shape) * parameters.block) | 1)
    mask = cv2.adaptiveThreshold(
        soft, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, parameters.offset
    ).astype(np.uint8, copy=False)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes = stats[1:, :4]
    tall = float(boxes[:, 3].max(initial=0))
    glyphs = []
    for label, (x, y, w, h) in enumerate(boxes.tolist(), start=1):
        if h >= max(parameters.least_height, parameters.least_part * tall) and w <= parameters.widest * h:
            own = labels[y : y + h, x : x + w] == label
            glyphs.append(Glyph((x, y, w, h), np.where(own, np.uint8(255), np.uint8(0))))
    glyphs.sort(key=lambda glyph: -glyph.box[2] * glyph.box[3])
    contrast = cv2.bitwise_not(soft).astype(np.uint8, copy=False)
    return Page(contrast, mask, mask, glyphs[: parameters.most_glyphs])
