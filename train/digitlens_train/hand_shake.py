"""A hand-held camera over a sheet: a still picture as noisy, shaken frames."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from digitlens_train.page_photos import Page

RATE = 30.0
"""Frames a second."""
TREMOR = 9.0
"""Hertz of a hand's physiological tremor, 8 to 12."""
SHUTTER = 0.5
"""Of a frame's time, that the shutter is open: what moves meanwhile is smeared."""


def shaken(
    sheet: Page,
    count: int,
    random: np.random.Generator,
    *,
    size: tuple[int, int] = (1280, 720),
    sway: float = 30.0,
    tremor: float = 1.5,
    grain: float = 4.0,
) -> Iterator[Page]:
    """`count` frames (height, width, 3) uint8 BGR of a sheet (H, W, 3) uint8 under a hand-held camera.

    The same generator state gives the same frames.

    Args:
        sheet: the middle of it is the middle of the view; what lies beyond its edge repeats the edge.
        count: of frames, at RATE.
        random: draws the path and the noise.
        size: width and height of the frames.
        sway: pixels that the slow movement reaches to each side; it turns and tilts along.
        tremor: pixels that the quick movement reaches.
        grain: standard deviation of the camera's noise, in gray levels.
    """
    width, height = size
    path = _path(count, random, sway, tremor)
    # One field of noise, seen at another place in each frame: drawing it anew takes longer than reading.
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
        seen = ((corners - middle) * depth[:, np.newaxis]) @ rotation.T + middle + start
        seen += np.array([x, y], np.float32)
        warp = cv2.getPerspectiveTransform(seen.astype(np.float32), corners)
        view = cv2.warpPerspective(sheet, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        before = path[max(0, frame - 1)]
        view = _smeared(np.asarray(view, np.uint8), (x - before[0]) * SHUTTER, (y - before[1]) * SHUTTER)
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
    path[:, 6] += 1 - float(np.max(path[:, 6]))  # never brighter than the sheet is
    for axis in range(2):
        rate = TREMOR * random.uniform(0.9, 1.3)
        path[:, axis] += tremor * np.sin(2 * np.pi * rate * seconds + random.uniform(0, 2 * np.pi))
    path[:, :2] += random.normal(0, tremor / 4, (count, 2))
    return path


def _smeared(view: Page, across: float, down: float) -> Page:
    """The view as it is while the camera moves so many pixels."""
    length = int(np.ceil(max(abs(across), abs(down))))
    if length < 2:
        return view
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    for step in np.linspace(-0.5, 0.5, 4 * length):
        kernel[round(length + step * down), round(length + step * across)] += 1
    return np.asarray(cv2.filter2D(view, -1, kernel / kernel.sum()), np.uint8)
