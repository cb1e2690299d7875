"""A user's own crops, to adapt the network to a handwriting or a pen it does not know.

A folder with subfolders 0 to 9 and `other`, each with pictures of one character: dark on light or the
reverse, as cut from a photo or as `digitlens read` saves them.
"""

from pathlib import Path

import numpy as np

from digitlens import PictureError
from digitlens.core.arrays import Gray
from digitlens.images import pictures
from digitlens.paper.rules import segment
from digitlens_train.data import DataError

CLASSES = (*"0123456789", "other")
MAX_SIDE = 1000
"""Longest side of a crop, in pixels; anything larger is a page."""


def load(folder: Path) -> tuple[list[Gray], Gray, list[Gray]]:
    """The ink of the digits' crops, (h, w) uint8 each, their labels (N,), and the ink of the non-digits.

    Raises:
        DataError: the folder is missing or empty, a subfolder has another name, a file is not a picture
            or too large, or a digit's crop has no ink.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; --user-crops takes one with folders 0 to 9 and other")
    digits: list[Gray] = []
    labels: list[int] = []
    negatives: list[Gray] = []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        if kind.name not in CLASSES:
            raise DataError(f"{kind}: unknown class; the folders are named 0 to 9 and other")
        for path in sorted(path for path in kind.iterdir() if path.is_file()):
            ink = _ink(path)
            if kind.name == "other":
                # The runtime never asks the network about a dash or a dot: they are no glyphs.
                negatives += [] if ink is None else [ink]
            elif ink is None:
                raise DataError(f"{path}: no digit found; leave some paper around it")
            else:
                digits.append(ink)
                labels.append(int(kind.name))
    if not digits and not negatives:
        raise DataError(f"{folder}: no crops; put pictures into folders 0 to 9 and other")
    return digits, np.array(labels, np.uint8), negatives


def _ink(path: Path) -> Gray | None:
    """The ink of a crop's largest glyph; None where there is none."""
    try:
        picture = next(pictures.load(path))
    except PictureError as error:
        raise DataError(str(error)) from error
    if max(picture.size) > MAX_SIDE:
        raise DataError(
            f"{path}: {picture.size[0]} x {picture.size[1]} pixels; a crop has at most {MAX_SIDE} a side"
        )
    glyphs = [glyph.ink for glyph in segment.find_glyphs(picture.pixels)]
    return max(glyphs, key=lambda ink: ink.shape[0] * ink.shape[1], default=None)
