"""A user's own crops, for a hand or a pen that the network does not know.

A folder with folders 0 to 9 and `other`, each with pictures of one sign: dark on light or the reverse, as
cut from a photo or as digitlens read saves them.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitlens import PictureError
from digitlens.images import pictures
from digitlens.paper import segment
from digitlens_train.data import DataError

Gray = npt.NDArray[np.uint8]

CLASSES = (*"0123456789", "other")
LARGEST = 1000
"""Pixels of a side; what is larger is a page, not a crop."""


def load_extra(folder: Path) -> tuple[list[Gray], Gray, list[Gray]]:
    """The ink of the digits' crops, their labels (N,), and the ink of what is not a digit.

    Raises:
        DataError: a folder of another name, a file that is no picture, one that is too large, a digit's
            in which nothing is written; or no crops at all.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; --extra takes one with folders 0 to 9 and other")
    digits: list[Gray] = []
    labels: list[int] = []
    others: list[Gray] = []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        if kind.name not in CLASSES:
            raise DataError(f"{kind}: unknown class; the folders are named 0 to 9 and other")
        for path in sorted(path for path in kind.iterdir() if path.is_file()):
            ink = _ink(path)
            if kind.name == "other":
                # A dash or a dot is no glyph: the runtime does not ask the network about it.
                others += [] if ink is None else [ink]
            elif ink is None:
                raise DataError(f"{path}: no digit is found there; leave some paper around it")
            else:
                digits.append(ink)
                labels.append(int(kind.name))
    if not digits and not others:
        raise DataError(f"{folder}: no crops; put pictures into folders 0 to 9 and other")
    return digits, np.array(labels, np.uint8), others


def _ink(path: Path) -> Gray | None:
    """The ink of a crop's largest glyph; None where there is none."""
    try:
        picture = next(pictures.load(path))
    except PictureError as error:
        raise DataError(str(error)) from error
    if max(picture.size) > LARGEST:
        raise DataError(
            f"{path}: {picture.size[0]} x {picture.size[1]} pixels; a crop has {LARGEST} at the most"
        )
    glyphs = [glyph.ink for glyph in segment.find_glyphs(picture.pixels)]
    return max(glyphs, key=lambda ink: ink.shape[0] * ink.shape[1], default=None)
