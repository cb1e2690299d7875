"""A page that is read well."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


@pytest.fixture
def page(digits: Digits) -> npt.NDArray[np.uint8]:
    return write("40716", digits)


@pytest.fixture
def good(tmp_path: Path, page: npt.NDArray[np.uint8]) -> Path:
    path = tmp_path / "good.png"
    cv2.imwrite(str(path), page)
    return path
