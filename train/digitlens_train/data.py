"""MNIST, from keras.datasets or from a local npz file."""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digitlens.core.errors import DigitLensError, first_line

Images = npt.NDArray[np.uint8]


class DataError(DigitLensError, ValueError):
    """A data set that is not available or not of the expected form."""


class Mnist(NamedTuple):
    """MNIST's two halves: images (N, 28, 28) uint8, white on black; labels (N,) uint8, 0 to 9."""

    x_train: Images
    y_train: Images
    x_test: Images
    y_test: Images


def load_mnist(path: Path | None = None) -> Mnist:
    """MNIST from `path` (an npz with x_train, y_train, x_test, y_test), else through keras.datasets.

    Raises:
        DataError: the file is missing or is not MNIST's npz, or the download failed.
    """
    return _from_keras() if path is None else _from_npz(path)


def _from_keras() -> Mnist:
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # the download fails as OSError, URLError or a bare Exception
        raise DataError(
            f"MNIST could not be downloaded ({first_line(error)}): give a local copy with --mnist FILE"
        ) from error
    return Mnist(x_train, y_train, x_test, y_test)


def _from_npz(path: Path) -> Mnist:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mnist = Mnist(*(arrays[name] for name in Mnist._fields))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; --mnist takes MNIST's npz file") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not MNIST's npz file (it holds {', '.join(Mnist._fields)})") from error
    for half in ("train", "test"):
        images, labels = getattr(mnist, f"x_{half}"), getattr(mnist, f"y_{half}")
        if (
            images.dtype != np.uint8
            or images.shape[1:] != (28, 28)
            or labels.shape != images.shape[:1]
            or not len(labels)
            or labels.max() > 9
        ):
            raise DataError(f"{path}: x_{half} must be (N, 28, 28) uint8 with labels 0 to 9 in y_{half}")
    return mnist
