"""Films of sheets with doubtful digits, in hand shake, focus and light that change, and what is tracked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.tracking import LookParameters, TrackingParameters
from digitlens.core.arrays import Floats, Gray, Pixels
from digitlens.core.tracking import Tracked
from digitlens.live.tracker import Tracker
from digitlens.reader import Reader
from digitlens_train import drawn_digits, hand_shake, page_photos, strokes
from digitlens_train.data import Mnist

SIZE = 640, 480
"""Width and height of a frame, in pixels."""
MARGIN = 60
"""Paper beyond each side of the frame, in pixels."""
ROWS, COLUMNS = 4, 2
"""Numbers below and beside each other on a sheet."""
HEIGHTS = 26, 46
"""Least and largest height of a sheet's digits, in pixels."""
AMBIGUOUS = 0.1
"""Probability that a digit is drawn on the way to another one."""
MIX = 0.25, 0.5
"""How far on that way, as a fraction of it: at half nobody could tell."""
DRAWN = 0.3
"""Probability that a digit has a form that is rare in MNIST."""
SWAY = 12.0
"""Amplitude of the hand's slow movement, in pixels."""
DEFOCUS = 1.8
"""Largest standard deviation of the blur out of focus, in pixels."""
GRAIN = 1.0, 8.0
"""Least and largest standard deviation of the sensor's noise, in gray levels."""
LATER = 8, 16
"""Frames after which the numbers are looked at; the last is the film's length."""


class Written(NamedTuple):
    """A number on a sheet, its middle in pixels of an unmoved frame."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Seen:
    """A steady number in a film.

    `odds` and `counts` are its digits' log-odds without any gain and their looks; `surplus` and
    `disagreement` are those of `FollowedNumber`.
    """

    odds: tuple[float, ...]
    counts: tuple[float, ...]
    surplus: float
    disagreement: float
    confidence: float
    right: bool


def sheet(data: Mnist, random: np.random.Generator) -> tuple[Pixels, list[Written]]:
    """A sheet, (height, width, 3) uint8 BGR, with MARGIN around the frame, and what is written on it."""
    width, height = SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN
    tall = float(random.uniform(*HEIGHTS))
    kind: page_photos.Kind = "ruled" if random.random() < 0.4 else "plain"
    paper = page_photos.sheet((width, height), kind, SIZE[1] / ROWS / 2, random)
    ink = np.zeros((height, width), np.float32)
    written = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            text, left = "", MARGIN + 30 + column * SIZE[0] / COLUMNS + float(random.uniform(0, 40))
            top = MARGIN + 30 + row * (SIZE[1] - 40) / ROWS + float(random.uniform(0, 25))
            start = left
            for _ in range(int(random.integers(1, 6))):
                stroke, value = _digit(data, random)
                left = _put(ink, stroke, left, top + float(random.normal(0, 0.05)) * tall, tall, random)
                text += str(value)
            written.append(Written(text, (start + left) / 2 - MARGIN, top + tall / 2 - MARGIN))
    page = page_photos.write(paper, np.clip(ink, 0, 1), random)
    return np.clip(page, 0, 255).astype(np.uint8), written


def frames(page: Pixels, count: int, random: np.random.Generator, still: bool = False) -> Iterator[Gray]:
    """Frames (height, width) uint8 of a sheet; `still` leaves only the sensor's noise."""
    grain = float(random.uniform(*GRAIN))
    strength = 0.0 if still else float(random.uniform(0, DEFOCUS))
    flicker = 0.0 if still else float(random.uniform(0, 0.3))
    phases, rates = random.uniform(0, 2 * np.pi, 3), random.uniform(0.3, 1.2, 3)
    x = np.linspace(-1, 1, SIZE[0], dtype=np.float32)[np.newaxis]
    shaken: Iterator[Pixels] = (
        iter([page[MARGIN:-MARGIN, MARGIN:-MARGIN]] * count)
        if still
        else hand_shake.frames(page, count, random, size=SIZE, sway=SWAY, grain=0)
    )
    for number, view in enumerate(shaken):
        gray = cv2.cvtColor(view, cv2.COLOR_BGR2GRAY)
        waves = np.sin(2 * np.pi * rates * number / hand_shake.RATE + phases)
        sigma = strength * abs(float(waves[0]))
        soft = cv2.GaussianBlur(gray, (0, 0), sigma) if sigma > 0.2 else gray
        light = 1 - flicker * (1 + waves[1]) / 2 + flicker * waves[2] * x / 2
        noise = np.empty(gray.shape, np.float32)
        cv2.randn(noise, np.array([0.0]), np.array([grain]))
        yield np.clip(soft * np.minimum(light, 1.1).astype(np.float32) + noise, 0, 255).astype(np.uint8)


def tracked(reader: Reader, data: Mnist, seed: tuple[int, ...], still: bool = False) -> list[Seen]:
    """The steady numbers of one film after LATER frames each."""
    random = np.random.default_rng(seed)
    cv2.setRNGSeed(int(random.integers(2**31)))
    page, written = sheet(data, random)
    plain = TrackingParameters(
        looks=LookParameters(
            gain=0.0, digit_shift=0.0, number_gain=0.0, number_shift=0.0, length=0.0, disagreement=0.0
        )
    )
    tracker = Tracker(plain)
    found = []
    for number, gray in enumerate(frames(page, LATER[-1], random, still), 1):
        tracker.update(reader.read(gray, time=number / hand_shake.RATE), gray)
        if number in LATER:
            evidence = tracker.evidence()
            found += [
                Seen(*evidence[one.id], one.number.confidence, _is_right(one, written))
                for one in tracker.numbers
                if one.steady
            ]
    return found


def _digit(data: Mnist, random: np.random.Generator) -> tuple[strokes.Stroke, int]:
    first, value = _plain(data, random)
    if random.random() >= AMBIGUOUS:
        return first, value
    other, _ = _plain(data, random)
    share = float(random.uniform(*MIX))
    mixed = (1 - share) * _signed(first) + share * _signed(other)
    return np.clip(mixed + 0.5, 0, 1).astype(np.float32), value


def _plain(data: Mnist, random: np.random.Generator) -> tuple[strokes.Stroke, int]:
    if random.random() < DRAWN:
        stroke, value = drawn_digits.draw(random)
    else:
        which = int(random.integers(len(data.y_test)))
        stroke, value = strokes.enlarge(data.x_test[which]), int(data.y_test[which])
    return strokes.bend(stroke, random, 0.6), value


def _signed(stroke: strokes.Stroke) -> Floats:
    inside = (stroke > 0.5).astype(np.uint8)
    here, beyond = (cv2.distanceTransform(part, cv2.DIST_L2, 3) for part in (inside, 1 - inside))
    return np.asarray(here - beyond, np.float32)


def _put(
    ink: Floats, stroke: strokes.Stroke, left: float, top: float, tall: float, random: np.random.Generator
) -> float:
    """Write a stroke picture; returns where the next one begins."""
    side = round(tall * strokes.SIDE / strokes.INNER)
    small = cv2.resize(stroke, (side, side), interpolation=cv2.INTER_AREA)
    columns = np.flatnonzero((small > 0.3).any(axis=0))
    if not columns.size:
        return left
    small = small[:, columns[0] : columns[-1] + 1]
    y, x = round(top - (side - tall) / 2), round(left)
    part = ink[y : y + side, x : x + small.shape[1]]
    np.maximum(part, small[: part.shape[0], : part.shape[1]], out=part)
    return left + small.shape[1] + float(random.uniform(0.1, 0.3)) * tall


def _is_right(one: Tracked, written: list[Written]) -> bool:
    """Whether the number is the nearest one on the sheet."""
    x, y, width, height = one.number.box
    places: npt.NDArray[np.float64] = np.array([(each.x, each.y) for each in written])
    distances = np.hypot(*(places - (x + width / 2, y + height / 2)).T)
    return written[int(np.argmin(distances))].text == one.number.text
