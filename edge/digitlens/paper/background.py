"""The paper's brightness under the ink, from the pixels that the network takes for paper."""

import cv2
import numpy as np

from digitlens.core.arrays import Floats


def inpaint(values: Floats, weights: Floats) -> Floats:
    """(H, W) values, known where weights (0 to 1) are -> values everywhere.

    Unknown places take the mean of the nearest known ones, by a pyramid of weighted means (pull and push:
    Gortler, Grzeszczuk, Szeliski and Cohen 1996).
    """
    sums, totals = [values * weights], [weights]
    while max(sums[-1].shape) > 1:
        size = (sums[-1].shape[1] + 1) // 2, (sums[-1].shape[0] + 1) // 2
        value, total = (
            4 * cv2.resize(one[-1], size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
            for one in (sums, totals)
        )
        # A place is known once its parts together are: what is far away does not count there.
        most = np.maximum(total, 1)
        sums.append(value / most)
        totals.append(total / most)
    found = sums[-1] / np.maximum(totals[-1], np.float32(1e-6))
    for known, total in zip(sums[-2::-1], totals[-2::-1], strict=True):
        coarse = cv2.resize(found, known.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(known.shape)
        found = known + (1 - total) * coarse
    everywhere: Floats = found.astype(np.float32, copy=False)
    return everywhere
