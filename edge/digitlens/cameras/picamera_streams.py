"""How the pictures of a camera's stream lie in its buffers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.errors import CameraError

Pixels = npt.NDArray[np.uint8]

COLORS = {
    "YUV420": cv2.COLOR_YUV2BGR_I420,
    "YVU420": cv2.COLOR_YUV2BGR_YV12,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "NV21": cv2.COLOR_YUV2BGR_NV21,
}
"""libcamera's name of a format with a gray plane before two of half its height -> OpenCV's way to BGR."""


@dataclass(frozen=True)
class Stream:
    """A stream as the camera has configured it, whatever was asked; `stride` is the bytes of a padded row."""

    name: str
    format: str
    size: tuple[int, int]
    stride: int

    @classmethod
    def told(cls, name: str, configuration: Mapping[str, Any]) -> "Stream":
        """Of picamera2's configuration of the stream `name`, read back.

        Raises:
            CameraError: the camera gives a format without a gray plane, or a stride that cannot be.
        """
        told = configuration[name]
        stream = cls(name, str(told["format"]), tuple(told["size"]), int(told["stride"]))
        if stream.format not in COLORS:
            raise CameraError(f"gives {stream.format} where {', '.join(COLORS)} can be read")
        if stream.stride < stream.size[0] or min(stream.size) < 2:
            raise CameraError(f"says {stream.size[0]} x {stream.size[1]} in rows of {stream.stride} bytes")
        return stream

    def gray(self, data: Pixels) -> Pixels | None:
        """(n,) bytes -> its gray plane (H, W), a view without the padding; None where bytes are missing."""
        width, height = self.size
        if len(data) < self.stride * height:
            return None
        return data[: self.stride * height].reshape(height, self.stride)[:, :width]

    def color(self, data: Pixels) -> Pixels | None:
        """(n,) bytes -> a new (H, W, 3) BGR; None where bytes are missing."""
        width, height = self.size
        rows = height * 3 // 2
        if len(data) < self.stride * rows:
            return None
        # Padded as they are: both planes' rows end with the padding, and so do those of the result.
        planes = data[: self.stride * rows].reshape(rows, self.stride)
        image = cv2.cvtColor(planes, COLORS[self.format])
        return np.ascontiguousarray(image[:, :width]).astype(np.uint8, copy=False)
