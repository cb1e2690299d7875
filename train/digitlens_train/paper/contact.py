"""Contact sheets: patches above their truth in colors, to look at."""

from pathlib import Path

import cv2
import numpy as np

from digitlens.core.arrays import Gray, Pixels
from digitlens.images import pictures
from digitlens_train.paper import patches
from digitlens_train.paper.classes import IGNORED, Kind
from digitlens_train.paper.material import Material

COLORS = {
    Kind.DIGIT: (0, 0, 255),
    Kind.WRITING: (255, 120, 0),
    Kind.PRINT: (200, 0, 200),
    Kind.LINE: (0, 170, 0),
}
"""Colors, BGR: handwritten digits red, other writing blue, print violet, lines green."""
COLUMNS = 8


def colored(gray: Gray, classes: Gray) -> Pixels:
    """Classes (h / 2, w / 2) in COLORS over the pale picture (h, w, 3); what is ignored is dark."""
    large = cv2.resize(classes, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
    picture = np.asarray(cv2.cvtColor(gray // 2 + 110, cv2.COLOR_GRAY2BGR), np.uint8)
    for kind, color in COLORS.items():
        picture[large == kind] = color
    picture[large == IGNORED] = 60
    return picture


def sheet(pairs: list[tuple[Gray, Gray]]) -> Pixels:
    """One picture (H, W, 3) of patches, COLUMNS in a row, each above its truth."""
    tiles = [
        np.concatenate([cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), colored(gray, classes)])
        for gray, classes in pairs
    ]
    while len(tiles) % COLUMNS:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.concatenate(tiles[at : at + COLUMNS], 1) for at in range(0, len(tiles), COLUMNS)]
    return np.asarray(np.concatenate(rows), np.uint8)


def write(out: Path, data: Path | None, seed: int, count: int) -> None:
    """Write `count` patches to the folder `out`, three rows on a sheet.

    Raises:
        PictureError: the folder or a file cannot be written.
    """
    pictures.make_folder(out)
    material = Material.load(data)
    step = 3 * COLUMNS
    for first in range(0, count, step):
        numbers = range(first, min(first + step, count))
        pairs = [patches.patch(np.random.default_rng((seed, number)), material) for number in numbers]
        pictures.save(out / f"patches_{first:04}.png", sheet(pairs))
