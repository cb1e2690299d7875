"""Arrays -> Reader.read."""

import random
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from digitlens import Reader
from digitlens.core.errors import PictureError
from fuzz.cases import Found, Ready, one_line

Pixels = npt.NDArray[Any]

_reader: list[Reader] = []


def reader(case: random.Random, folder: Path, ready: Ready) -> None:
    """Arrays of all shapes, strides and types."""
    if not _reader:
        _reader.append(Reader())
    image = _array(case)
    ready()
    try:
        reading = _reader[0].read(image)
    except PictureError as error:
        one_line(error)
        if _is_picture(image):
            raise Found(f"refused {image.shape} {image.dtype}: {error}") from error
        return
    if not _is_picture(image):
        raise Found(f"took {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if reading.size != (width, height):
        raise Found(f"size {reading.size} of {image.shape}")
    for number in reading.numbers:
        parts = ((number.box, number.confidence), *((d.box, d.confidence) for d in number.digits))
        for box, confidence in parts:
            x, y, w, h = box
            if not (0 <= confidence <= 1 and x >= 0 and y >= 0 and x + w <= width and y + h <= height):
                raise Found(f"{box} with {confidence} in {width} x {height}")
    msgspec.json.encode(reading)


def _is_picture(image: Pixels) -> bool:
    return bool(
        image.dtype == np.uint8
        and image.size
        and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
    )


def _array(case: random.Random) -> Pixels:
    noise = np.random.default_rng(case.getrandbits(64))
    side = case.choice([0, 1, 2, 3, 7, 8, 9, 16, 17, 28, 64, 100, 333, 720, 1279, 1281, 2600])
    other = case.choice([0, 1, 2, 5, 8, 31, 64, 200, 640, 1280, 1300, 3000, 65_000])
    if side * other > 4_000_000:
        other = case.choice([1, 8, 64, 640])
    shape: tuple[int, ...] = (side, other) if case.random() < 0.5 else (other, side)
    if case.random() < 0.35:
        shape = (*shape, case.choice([3, 3, 3, 1, 2, 4, 0]))
    elif case.random() < 0.08:
        shape = case.choice([(), (side,), (1, *shape, 3), (2, 2, 2, 2, 2)])
    image = _content(case, noise, shape)
    if case.random() < 0.2:
        image = image.astype(case.choice(["i1", "u2", "i4", "f4", "f8", "?", "O", ">u2", "c8"]), copy=False)
    return _strided(case, image)


def _content(case: random.Random, noise: np.random.Generator, shape: tuple[int, ...]) -> Pixels:
    kind = case.randrange(7)
    if kind == 0:
        return noise.integers(0, 256, shape, np.uint8)
    if kind == 1:
        return np.full(shape, case.choice([0, 1, 127, 254, 255]), np.uint8)
    image = np.full(shape, case.choice([255, 220, 30, 0]), np.uint8)
    if (
        image.ndim < 2
        or not image.size
        or (image.ndim == 3 and image.shape[2] not in (1, 3))
        or image.ndim > 3
    ):
        return image
    ink = (case.randrange(256),) * 3
    height, width = image.shape[:2]
    for _ in range(case.choice([1, 5, 40, 300])):
        start, end = ((case.randrange(width), case.randrange(height)) for _ in range(2))
        thick = case.choice([1, 2, 5, 30])
        if kind == 2:
            cv2.line(image, start, end, ink, thick)
        elif kind == 3:
            cv2.putText(image, str(case.randrange(10**6)), start, 0, case.choice([0.4, 1, 4]), ink, thick)
        elif kind == 4:
            cv2.rectangle(image, start, end, ink, thick)
        elif kind == 5:
            cv2.circle(image, start, case.randrange(1, 60), ink, thick)
        else:
            image[start[1] :: case.randrange(2, 9), start[0] :: case.randrange(2, 9)] = ink[0]
    return image


def _strided(case: random.Random, image: Pixels) -> Pixels:
    how = case.randrange(9)
    if image.ndim < 2:
        return image
    if how == 0:
        return image[::-1, ::-1]
    if how == 1:
        return image.swapaxes(0, 1)
    if how == 2:
        return image[:: case.randrange(1, 4), :: case.randrange(1, 4)]
    if how == 3:
        return np.asfortranarray(image)
    if how == 4:
        return np.broadcast_to(image[:1], image.shape)
    if how == 5:
        image.flags.writeable = False
    if how == 6:  # padded rows, as cameras have them
        padded = np.zeros((image.shape[0], image.shape[1] + 5, *image.shape[2:]), image.dtype)
        padded[:, :-5] = image
        return padded[:, :-5]
    if how == 7 and image.dtype == np.uint8:  # unaligned
        bytes_ = np.empty(image.size + 1, np.uint8)
        odd = bytes_[1:].reshape(image.shape)
        odd[...] = image
        return odd
    return image
