"""A page for the live loop."""

import numpy as np
import numpy.typing as npt
import pytest

from tests.edge.pages import write

Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]


@pytest.fixture
def page(digits: Digits) -> Pixels:
    return write("40716", digits)
