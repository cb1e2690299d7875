"""SheetWatch: a camera's frames -> each sheet that is laid under it, once, from its sharpest frames.

It stands in the place of the live loop's reader: it reads a sheet once the picture is still and the page is
aligned, with nothing lying on it, and then waits until another one lies there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

import cv2
import numpy as np

from digitlens.config.parameters.sheet_watch import SheetWatchParameters
from digitlens.core.arrays import Doubles, Floats, Pixels
from digitlens.core.errors import SheetError
from digitlens.core.readings import Box, Digit, Number, Reading, union
from digitlens.core.sheet_rows import SeenSheet, SheetField
from digitlens.core.tracking import Event, Tracked
from digitlens.sheets.covered import covered
from digitlens.sheets.decisions import Hypotheses
from digitlens.sheets.reader import SeenPage, SheetReader
from digitlens.sheets.readings import FieldReading, PageReading

WIDTH = 640
"""Width of the picture whose tiles are compared, pixels."""


class SheetWatch:
    """Takes sheets; `taken` gets each, and returns the line that the screen shows.

    Args:
        reader: of the form.
        taken: takes a sheet, in the loop's thread.
        say: shows a line; why a picture that is still is not taken is said once.
    """

    def __init__(
        self,
        reader: SheetReader,
        taken: Callable[[SeenSheet], str],
        say: Callable[[str], None] = lambda line: None,
        parameters: SheetWatchParameters | None = None,
    ) -> None:
        self.say = say
        self._reader, self._taken = reader, taken
        self._parameters = parameters or SheetWatchParameters()
        self._before: Floats | None = None  # the tiles of the last frame
        self._done: Floats | None = None  # those of the sheet that was taken last
        self._numbers: tuple[Number, ...] = ()  # what is written on it
        self._said = ""
        self._begin(0.0)

    def read(self, image: Pixels, source: str = "", time: float = 0.0) -> Reading:
        """Look at a frame (H, W) gray; the reading has the fields of the taken sheet that lies there."""
        started = perf_counter()
        tiles = _tiles(image, self._parameters.tile)
        if self._before is None or _difference(tiles, self._before) > self._parameters.moved:
            self._begin(time)
        self._before = tiles
        lies_there = self._done is not None and _difference(tiles, self._done) <= self._parameters.other
        if not lies_there:
            self._keep(image)
            if self._is_due(time):
                self._attempt(tiles, source, time)
                lies_there = self._done is tiles
        size = image.shape[1], image.shape[0]
        total = (perf_counter() - started) * 1000
        return Reading(source, time, size, self._numbers if lies_there else (), {"total": total})

    def _begin(self, time: float) -> None:
        """Something has moved: from here on the picture may be still."""
        self._still, self._since, self._next_try = 0, time, -np.inf
        self._sharpest: list[tuple[float, int, Pixels]] = []

    def _keep(self, image: Pixels) -> None:
        self._still += 1
        self._sharpest.append(
            (_sharpness(image), -self._still, image.copy())
        )  # the camera's buffer is its own
        self._sharpest = sorted(self._sharpest, key=lambda one: one[:2], reverse=True)
        del self._sharpest[self._parameters.sharpest :]

    def _is_due(self, time: float) -> bool:
        parameters = self._parameters
        still = self._still >= parameters.still_frames and time - self._since >= parameters.still_time
        return still and time >= self._next_try

    def _attempt(self, tiles: Floats, source: str, time: float) -> None:
        try:
            seen, reading = self._sheet(source)
        except SheetError as error:
            self._next_try = time + self._parameters.retry
            self._sharpest.clear()
            if (line := str(error)) != self._said:
                self._said = line
                self.say(f"no sheet is taken: {line}")
            return
        self._done, self._said = tiles, ""
        self._numbers = tuple(_numbers(reading))
        image = self._sharpest[0][2]
        size = image.shape[1], image.shape[0]
        box = union(seen.page.aligned.boxes([(0.0, 0.0, *seen.page.aligned.paper_mm)]))
        line = self._taken(
            SeenSheet(
                reading.template, reading.serial, reading.page,
                {name: _field(one) for name, one in reading.fields.items()}, box, size, time,
            )
        )  # fmt: skip
        self._sharpest.clear()
        self.say(line)

    def _sheet(self, source: str) -> tuple[SeenPage, PageReading]:
        """The page that lies there, read from all frames that were kept.

        Raises:
            SheetError: there is none, or none that can be taken now.
        """
        first, *more = [image for _, _, image in self._sharpest]
        seen = self._reader.seen(first)
        if seen.page.aligned.residual_mm > self._parameters.alignment:
            raise SheetError("the page does not lie flat enough")
        if hidden := covered(seen.page, self._reader.form, self._parameters):
            raise SheetError(f"something lies on the sheet, on {len(hidden)} fields: {', '.join(hidden[:3])}")
        each = [seen.hypotheses]
        for image in more:
            try:
                again = self._reader.seen(image)
            except SheetError:
                continue
            if again.page.aligned.code == seen.page.aligned.code:
                each.append(again.hypotheses)
        together = replace(seen, hypotheses=_mean(each))
        return together, self._reader.decided(together, source)


class SheetTracker:
    """In the place of the live loop's tracker: what is written on the sheet that was taken, and no events."""

    def __init__(self) -> None:
        self.numbers: tuple[Tracked, ...] = ()

    is_in_doubt = False

    def follow(self, matrix: Doubles) -> None:
        """Nothing: a sheet is read where it lies."""

    def update(self, reading: Reading, gray: Pixels) -> list[Event]:
        """Take over the fields that the watch has read."""
        self.numbers = tuple(Tracked(place, one, True, 1) for place, one in enumerate(reading.numbers, 1))
        return []


def _mean(each: Sequence[Mapping[str, Hypotheses]]) -> dict[str, Hypotheses]:
    """The mean of the frames' probabilities: they see one and the same ink."""
    found: dict[str, Hypotheses] = {}
    for name, first in each[0].items():
        if isinstance(first, np.ndarray):
            arrays = [np.asarray(one[name], np.float64) for one in each]
            found[name] = np.asarray(np.mean(arrays, axis=0), np.float64)
            continue
        together: dict[str, float] = {}
        for one in each:
            for text, probability in one[name]:
                together[text] = together.get(text, 0.0) + probability / len(each)
        found[name] = list(together.items())
    return found


def _field(one: FieldReading) -> SheetField:
    return SheetField(one.value, one.state, round(one.confidence, 4), one.reason)


def _numbers(reading: PageReading) -> list[Number]:
    """The fields in which digits stand, to be drawn over the picture."""
    found = []
    for one in reading.fields.values():
        text = "" if one.value is None or isinstance(one.value, bool) else str(one.value)
        signs = [sign for sign in text if sign.isascii() and sign.isdigit()]
        if signs:
            digits = tuple(
                Digit(int(sign), one.confidence, _part(one.box, place, len(signs)))
                for place, sign in enumerate(signs)
            )
            found.append(Number(text, one.confidence, one.box, digits))
    return found


def _part(box: Box, place: int, count: int) -> Box:
    x, y, wide, tall = box
    return x + place * wide // count, y, max(1, wide // count), tall


def _tiles(image: Pixels, tile: int) -> Floats:
    """Mean brightness of each tile, (h, w) float32."""
    height, width = image.shape[:2]
    wanted = max(1, WIDTH // tile), max(1, round(height * WIDTH / width / tile))
    return cv2.resize(image, wanted, interpolation=cv2.INTER_AREA).astype(np.float32)


def _difference(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")


def _sharpness(image: Pixels) -> float:
    """How much fine detail a picture has."""
    height, width = image.shape[:2]
    part = image[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return float(cv2.Laplacian(part, cv2.CV_32F).var())
