"""The second classifier: HOG features and a linear SVM, in OpenCV and NumPy alone.

Histograms of oriented gradients after Dalal and Triggs (2005).
"""

import io
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats
from digitlens.core.errors import ModelError

FEATURES = 576


class LinearSvm(NamedTuple):
    """weights (10, 576) and bias (10,) float32; slope and offset (10,) turn a class's margin into odds."""

    weights: Floats
    bias: Floats
    slope: Floats
    offset: Floats

    def probabilities(self, batch: npt.NDArray[np.uint8]) -> Floats:
        """(N, 28, 28) uint8 -> (N, 10) float32, each row's sum 1 (Platt 1999, over all classes)."""
        margins = features(batch) @ self.weights.T + self.bias
        odds = 1 / (1 + np.exp(-np.clip(self.slope * margins + self.offset, -50, 50)))
        probabilities: Floats = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities


def features(batch: npt.NDArray[np.uint8]) -> Floats:
    """(N, 28, 28) uint8 -> (N, 576) float32: 4 x 4 blocks of 2 x 2 cells, 9 signless directions each."""
    describe = _descriptor()
    described = [describe.compute(picture).reshape(-1) for picture in batch]
    return np.array(described, np.float32).reshape(len(batch), FEATURES)


@cache
def _descriptor() -> Any:
    # Window, block, stride, cell: cells of 5.6 pixels are no option, so 28 is cut as blocks of 10 at
    # a stride of 6: the digit's 20 x 20 box, four blocks across, each seen by its neighbors too.
    return cv2.HOGDescriptor((28, 28), (10, 10), (6, 6), (5, 5), 9)


def load(content: bytes, name: str) -> LinearSvm:
    """Load an npz's arrays, never unpickling.

    Raises:
        ModelError: they are not a linear SVM's.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            svm = LinearSvm(*(arrays[field].astype(np.float32) for field in LinearSvm._fields))
    except Exception as error:  # zipfile, zlib and numpy's header parser raise many kinds
        raise ModelError(f"{name}: not a linear SVM's arrays ({', '.join(LinearSvm._fields)})") from error
    if [array.shape for array in svm] != [(10, FEATURES), (10,), (10,), (10,)]:
        raise ModelError(f"{name}: its arrays have the wrong shapes; weights must be (10, {FEATURES})")
    return svm
