"""Hand shake: frames of a still sheet as a hand-held camera takes them, with motion blur and noise."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Pixels

RATE = 30.0
"""Frame rate, in frames a second."""
TREMOR = 9.0
"""Frequency of a hand's physiological tremor (8 to 12), in hertz."""
SHUTTER = 0.5
"""Exposure time, as a fraction of the frame's; movement meanwhile is blurred."""


def frames(
    sheet: Pixels,
    count: int,
    random: np.random.Generator,
    *,
    size: tuple[int, int] = (1280, 720),
    sway: float = 30.0,
    tremor: float = 1.5,
    grain: float = 4.0,
) -> Iterator[Pixels]:
    """Frames (height, width, 3) uint8 BGR of a sheet (H, W, 3) uint8 under a hand-held camera.

    The same generator state gives the same frames.

    Args:
        sheet: centered in the view; its border repeats beyond its edge.
        count: frames, at RATE.
        random: draws the path and the noise.
        size: width and height of the frames, in pixels.
        sway: amplitude of the slow movement, in pixels; rotation and tilt go with it.
        tremor: amplitude of the quick movement, in pixels.
        grain: standard deviation of the sensor's noise, in gray levels.
    """
    width, height = size
    path = _path(count, random, sway, tremor)
    # A window moves over one noise field: drawing noise for each frame takes longer than reading it.
    field = np.round(random.normal(0, grain, (height + 64, width + 64, 3))).astype(np.int16)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = np.array([width / 2, height / 2], np.float32)
    start = np.array([(sheet.shape[1] - width) / 2, (sheet.shape[0] - height) / 2], np.float32)
    for frame in range(count):
        x, y, turn, zoom, lean, nod, light = path[frame]
        c, s = np.cos(turn) * (1 + zoom), np.sin(turn) * (1 + zoom)
        rotation = np.array([[c, -s], [s, c]], np.float32)
        away = (corners - middle) / middle
        depth = 1 + away @ np.array([lean, nod], np.float32)
        view_corners = ((corners - middle) * depth[:, np.newaxis]) @ rotation.T + middle + start
        view_corners += np.array([x, y], np.float32)
        warp = cv2.getPerspectiveTransform(view_corners.astype(np.float32), corners)
        view = cv2.warpPerspective(sheet, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        before = path[max(0, frame - 1)]
        view = _motion_blurred(
            np.asarray(view, np.uint8), (x - before[0]) * SHUTTER, (y - before[1]) * SHUTTER
        )
        left, top = (int(place) for place in random.integers(0, 64, 2))
        noisy = view * np.float32(light) + field[top : top + height, left : left + width]
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def _path(count: int, random: np.random.Generator, sway: float, tremor: float) -> npt.NDArray[np.float64]:
    """(count, 7): x, y in pixels, turn in radians, zoom, lean, nod, light; each a sum of slow sines."""
    seconds = np.arange(count) / RATE
    reach = np.array([sway, sway, 0.03, 0.03, 0.012, 0.012, 0.04])
    path = np.zeros((count, 7))
    for speed in (0.11, 0.23, 0.47):  # hertz
        rates = speed * random.uniform(0.7, 1.3, 7)
        phases = random.uniform(0, 2 * np.pi, 7)
        path += np.sin(2 * np.pi * rates * seconds[:, np.newaxis] + phases) * reach / 2
    path[:, 6] += 1 - float(np.max(path[:, 6]))  # never brighter than the sheet
    for axis in range(2):
        rate = TREMOR * random.uniform(0.9, 1.3)
        path[:, axis] += tremor * np.sin(2 * np.pi * rate * seconds + random.uniform(0, 2 * np.pi))
    path[:, :2] += random.normal(0, tremor / 4, (count, 2))
    return path


def _motion_blurred(view: Pixels, across: float, down: float) -> Pixels:
    """The view while the camera moves by so many pixels during the exposure."""
    length = int(np.ceil(max(abs(across), abs(down))))
    if length < 2:
        return view
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    for step in np.linspace(-0.5, 0.5, 4 * length):
        kernel[round(length + step * down), round(length + step * across)] += 1
    return np.asarray(cv2.filter2D(view, -1, kernel / kernel.sum()), np.uint8)
