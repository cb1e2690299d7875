"""Names for the array types that most packages use."""

import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
"""(H, W) uint8."""
Pixels = npt.NDArray[np.uint8]
"""(H, W) gray or (H, W, 3) BGR uint8."""
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
