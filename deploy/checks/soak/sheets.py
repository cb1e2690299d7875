"""The stand-in camera: a folder that digitlens replays, whose pictures are replaced while it does."""

import random
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens import Reader

Gray = npt.NDArray[np.uint8]

SIZE = (720, 1280)
PLACES = [(60, 60), (60, 660), (290, 60), (290, 660), (520, 60), (520, 660)]
"""Top and left of the places for a number, pixels; each sheet takes the next, as a hand does on a page."""
NAMES = ("a.jpg", "b.jpg")
"""Two pictures, because a replay decodes a single one only once."""
DRAWS = 4
"""Draws of the noise on which a sheet must be read before it is shown."""
LEAST_SURE = 0.6
"""Confidence of each digit, at least; a number in doubt is never steady, and so never reported."""
SIDE = 72
"""Side of a digit, pixels."""


class Sheets:
    """Sheets with one number each, which a reader has read before: this tests the service, not the reader.

    Args:
        folder: of the pictures that the service replays.
        digits: (N, 28, 28) uint8 and (N,) values, white on black.
    """

    def __init__(self, folder: Path, digits: tuple[Gray, Gray], seed: int) -> None:
        self.folder = folder
        self.folder.mkdir()
        self._digits = digits
        self._random = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._reader = Reader()
        self._count = 0
        self.refused = 0
        self._sheet = np.full(SIZE, 215, np.uint8)
        self.show(self._sheet)

    def next(self) -> str:
        """Show the next sheet; the number on it, which no sheet had before."""
        while True:
            self._count += 1
            text = str(self._count) + "".join(self._random.choices("0123456789", k=3))
            sheet = self._write(text, PLACES[self._count % len(PLACES)])
            pictures = [self._coded(self._noisy(sheet)) for _ in range(DRAWS)]
            if all(self._says(picture) == [text] for picture in pictures):
                break
            self.refused += 1
        self._sheet = sheet
        self._replace(pictures[: len(NAMES)])
        return text

    def again(self) -> None:
        """Show the same sheet again, after a fault."""
        self.show(self._sheet)

    def black(self) -> None:
        """Frames as of a covered lens."""
        self.show(np.zeros(SIZE, np.uint8))

    def snow(self) -> None:
        """Frames of noise alone, as of a broken cable."""
        self._replace([self._coded(self._noise.integers(0, 256, SIZE, np.uint8)) for _ in NAMES])

    def small(self) -> None:
        """The same sheet at another resolution."""
        self.show(cv2.resize(self._sheet, (SIZE[1] // 2, SIZE[0] // 2), interpolation=cv2.INTER_AREA))

    def show(self, sheet: Gray) -> None:
        """Replace the pictures by this one, with a camera's noise."""
        self._replace([self._coded(self._noisy(sheet)) for _ in NAMES])

    def broken(self) -> None:
        """Pictures that end in the middle."""
        for path in self.folder.glob("*.jpg"):
            path.write_bytes(path.read_bytes()[:2000])

    def _replace(self, pictures: list[bytes]) -> None:
        for name, data in zip(NAMES, pictures, strict=True):
            part = self.folder / f"{name}.part"
            part.write_bytes(data)
            part.replace(self.folder / name)  # at once: nobody sees a half

    def _coded(self, sheet: Gray) -> bytes:
        done, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 90])
        assert done
        return data.tobytes()

    def _says(self, picture: bytes) -> list[str]:
        sheet = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert sheet is not None
        numbers = self._reader.read(sheet.astype(np.uint8, copy=False)).numbers
        return [
            number.text
            for number in numbers
            if min(digit.confidence for digit in number.digits) >= LEAST_SURE
        ]

    def _noisy(self, sheet: Gray) -> Gray:
        noisy = sheet + self._noise.normal(0, 1.5, sheet.shape)
        return noisy.clip(0, 255).astype(np.uint8)

    def _write(self, text: str, place: tuple[int, int]) -> Gray:
        images, values = self._digits
        sheet = np.full(SIZE, 215, np.float32)
        top, left = place
        for count, sign in enumerate(text):
            which = self._random.choice(np.flatnonzero(values == int(sign)).tolist())
            stroke = cv2.resize(images[which], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) / 255.0
            x = left + count * SIDE
            sheet[top : top + SIDE, x : x + SIDE] -= 175 * stroke
        return sheet.clip(0, 255).astype(np.uint8)
