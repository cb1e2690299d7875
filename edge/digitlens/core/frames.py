"""Frame: one picture of a camera, as it travels through the live loop."""

from dataclasses import dataclass

from digitlens.core.arrays import Pixels


@dataclass(frozen=True)
class Frame:
    """One picture of a camera.

    `image` is (H, W, 3) BGR or (H, W) gray uint8, for the screen; `gray` is (h, w) uint8, for the reader,
    and may be smaller; `time` is in seconds on the frame's own clock, which of a camera began in 1970, of a
    replay at its start; `taken` is when the frame came, in seconds of time.monotonic(), which gives its age.
    """

    image: Pixels
    gray: Pixels
    time: float
    taken: float
