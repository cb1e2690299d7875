"""The layout of a camera stream's pictures in its buffers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.errors import CameraError

COLORS = {
    "YUV420": cv2.COLOR_YUV2BGR_I420,
    "YVU420": cv2.COLOR_YUV2BGR_YV12,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "NV21": cv2.COLOR_YUV2BGR_NV21,
}
"""libcamera's name of a format whose gray plane comes first -> OpenCV's conversion to BGR."""


@dataclass(frozen=True)
class Stream:
    """A stream as the camera has configured it, whatever was asked; `stride` is a padded row's bytes."""

    name: str
    format: str
    size: tuple[int, int]
    stride: int

    @classmethod
    def configured(cls, name: str, configuration: Mapping[str, Any]) -> "Stream":
        """The stream `name` of picamera2's configuration, read back.

        Raises:
            CameraError: the camera gives a format without a gray plane, or an impossible stride.
        """
        layout = configuration[name]
        stream = cls(name, str(layout["format"]), tuple(layout["size"]), int(layout["stride"]))
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
