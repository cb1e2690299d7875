"""What runs along the picture's own border is a cell's frame or a sheet's edge: take it out."""

import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

EDGE_PART = 0.1
"""Of the picture's side: how far from its border a frame along it may run."""
EDGE_PIXELS = 12
"""And in pixels."""
EDGE_INK = 0.35
"""Of a row along the border, that is inked where a frame is."""
CORNER = 0.05
"""Of the picture's side: how near to a corner a frame comes."""


def clear_edges(mask: Gray) -> Gray:
    """Take out what runs along the picture's own border: the frame of a cell, a sheet's edge.

    (H, W) of 0 and 255; a new one, or the same where there is nothing. What crosses the few rows of such a
    frame goes with it. A frame goes to one corner at least; the foot of a 2 does not.
    """
    deep = EDGE_PIXELS
    if not any(side.any() for side in (mask[:deep], mask[-deep:], mask[:, :deep], mask[:, -deep:])):
        return mask
    cleared = mask.copy()
    for side in (cleared, cleared[::-1], cleared.T, cleared.T[::-1]):
        deepest = int(np.clip(EDGE_PART * len(side), 2, EDGE_PIXELS))
        corner = max(2, round(CORNER * side.shape[1]))
        inked = np.count_nonzero(np.ascontiguousarray(side[:deepest]), axis=1) >= EDGE_INK * side.shape[1]
        if inked.any() and (side[:deepest, :corner].any() or side[:deepest, -corner:].any()):
            side[: int(np.flatnonzero(inked)[-1]) + 1] = 0
    return cleared
