"""A handwriting: its pen, gaps and slant; and the characters that it writes, digits and others."""

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats, Gray
from digitlens.rows.recognizer import LETTER
from digitlens_train import drawn_digits, negatives, strokes, trajectories
from digitlens_train.crops import Sources, shares
from digitlens_train.punctuation import Mark

DIGIT = 40
"""Height of a written digit, in pixels."""
DRAWN = 0.3
"""Share of the hands whose digits are mostly drawn, in shapes that are rare in the data sets."""
TRACED = 0.42
"""Share of the hands whose digits are mostly a writer's pen trajectories, where there are any."""


@dataclass(frozen=True)
class Character:
    """A character's ink (h, w) float32, and the row of it that lies on the line's middle.

    `several` are the classes of ink that holds more than one sign, as a whole number does; its own label is
    then row_photos.UNKNOWN.
    """

    ink: Floats
    middle: float
    label: int
    several: tuple[int, ...] = ()


@dataclass
class Hand:
    """How a row is written; lengths in digit heights.

    Attributes:
        gap: mean gap between two characters.
        kern: 0 measures the gap between boxes, 1 between strokes.
        unrest: how much characters vary, 0 to 1.
        drift: standard deviation of a character's height over the baseline.
        drawn: probability that a digit is drawn and not taken from a data set.
        traced: probability that a digit that is not drawn is a pen trajectory.
        linked: probability that the pen is not lifted between two such digits.
        style: seed of the drawn digits' allographs; it chooses the writer of the trajectories.
    """

    pen: float
    gap: float
    kern: float
    unrest: float
    slant: float
    tilt: float
    drift: float
    narrow: float
    small_zeros: bool
    drawn: float
    traced: float
    linked: float
    style: int

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Hand":
        """A random hand: hairline to marker, wide to overlapping, upright or slanted."""
        close = random.random()
        if close < 0.45:
            gap = random.uniform(-0.06, 0.12)
        elif close < 0.85:
            gap = random.uniform(0.08, 0.4)
        else:
            gap = random.uniform(0.3, 1.1)
        steep, wide = random.uniform(0.3, 0.9), random.uniform(1.15, 1.7)
        kind = random.random()
        return cls(
            pen=float(np.exp(random.uniform(np.log(0.045), np.log(0.17)))),
            gap=gap,
            kern=random.uniform(0, 1),
            unrest=random.uniform(0.1, 1.0),
            slant=steep if random.random() < 0.15 else float(np.clip(random.normal(0.12, 0.25), -0.5, 0.8)),
            tilt=float(np.clip(random.normal(0, 0.022), -0.06, 0.06)),
            drift=random.uniform(0, 0.07),
            narrow=wide if random.random() < 0.15 else float(np.exp(random.normal(-0.05, 0.17))),
            small_zeros=random.random() < 0.12,
            drawn=0.85 if kind < DRAWN else 0.06,
            traced=0.95 if kind > 1 - TRACED else 0.1,
            linked=random.uniform(0.2, 0.9) if random.random() < 0.2 else 0.0,
            style=int(random.integers(2**31)),
        )


def digit(
    sources: Sources, hand: Hand, random: np.random.Generator, label: int | None, size: float | None = None
) -> Character:
    """A digit of the data sets or a drawn one; `label` and `size`, in digit heights, are random if None."""
    if random.random() < hand.drawn:
        stroke, own = drawn_digits.draw(random, label, hand.style if random.random() < 0.8 else None)
        picture = picture_of(stroke)
    elif sources.hands is not None and random.random() < hand.traced:
        writer = hand.style if random.random() < 0.9 else None
        stroke, own = trajectories.digit(sources.hands, random, label, writer, hand.pen * strokes.INNER)
        picture = picture_of(stroke)
    else:
        which = int(np.searchsorted(np.cumsum(shares(len(sources.digits))), random.random()))
        images, labels = sources.digits[min(which, len(sources.digits) - 1)]
        wanted = np.flatnonzero(labels == label) if label is not None else np.arange(0)
        # A small set may lack the digit.
        index = int(wanted[random.integers(len(wanted))] if wanted.size else random.integers(len(labels)))
        picture, own = images[index], int(labels[index])
    if own == 1 and random.random() < 0.2:
        picture = picture_of(strokes.one(random))
    unrest = float(np.exp(random.normal(0, 0.1 * hand.unrest)))
    size = unrest * (size or (0.65 if own == 0 and hand.small_zeros else 1.0))
    return inked(picture.astype(np.uint8, copy=False), own, hand, random, size, seven_bar=own == 7)


def inked(
    picture: Gray, label: int, hand: Hand, random: np.random.Generator, size: float, seven_bar: bool = False
) -> Character:
    """A picture's character in this hand, `size` digit heights tall, distorted a little."""
    x, y, w, h = cv2.boundingRect((picture > 40).astype(np.uint8))
    wanted = DIGIT * size
    # The width of wide characters is bounded, as by the data sets' own boxes.
    zoom = wanted / max(h, 0.75 * w, 1)
    turn = np.deg2rad(random.normal(0, 4 * hand.unrest))
    slant = random.normal(0, 0.1 * hand.unrest)
    across = zoom * hand.narrow * np.exp(random.normal(0, 0.1 * hand.unrest))
    down = zoom * np.exp(random.normal(0, 0.05 * hand.unrest))
    margin = 8
    wide, high = round(w * across + 2 * margin + 0.4 * wanted), round(h * down + 2 * margin + 6)
    linear = np.array(
        [
            [across * np.cos(turn), -across * np.sin(turn) - slant * down],
            [down * np.sin(turn), down * np.cos(turn)],
        ]
    )
    middle = np.array([x + (w - 1) / 2, y + (h - 1) / 2])
    shift = np.array([(wide - 1) / 2, (high - 1) / 2]) - linear @ middle
    matrix = np.column_stack([linear, shift])
    large = cv2.warpAffine(picture, matrix, (wide, high), flags=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), max(0.3, 0.3 * zoom)).astype(np.float32) / 255
    stroke = np.clip((soft - 0.5) * max(1.0, zoom) + 0.5, 0, 1).astype(np.float32)
    pen = hand.pen * DIGIT * float(np.exp(random.normal(0, 0.06)))
    stroke = _repenned(stroke, pen)
    if seven_bar and random.random() < 0.25:
        stroke = _crossed(stroke, pen, random)
    return _trimmed(stroke, label, random.normal(0, hand.drift) * DIGIT)


def _repenned(stroke: Floats, wanted: float) -> Floats:
    """The same character by a pen `wanted` pixels wide, as far as thinning does not break it."""
    inside = (stroke > 0.5).astype(np.uint8)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    area = float(np.count_nonzero(inside))
    if not area:
        return stroke
    now = 4 * float(within.sum()) / area  # a ribbon's mean distance to its edge is a quarter of its width
    more = max((wanted - now) / 2, -0.28 * now)
    signed = within - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return np.clip(signed + np.float32(more + 0.5), 0, 1).astype(np.float32)


def _crossed(stroke: Floats, pen: float, random: np.random.Generator) -> Floats:
    """The bar through a 7's stem."""
    y = round(len(stroke) * random.uniform(0.42, 0.6))
    columns = np.flatnonzero(stroke[y] > 0.5)
    if not columns.size:
        return stroke
    x, half, tilt = columns.mean(), DIGIT * random.uniform(0.12, 0.28), DIGIT * random.normal(0.02, 0.03)
    bar = np.zeros(stroke.shape, np.uint8)
    ends = (round((x - half) * 16), round((y + tilt) * 16)), (round((x + half) * 16), round((y - tilt) * 16))
    cv2.line(bar, *ends, (255,), max(1, round(0.9 * pen)), cv2.LINE_AA, 4)
    return np.maximum(stroke, bar.astype(np.float32) / 255)


def _trimmed(stroke: Floats, label: int, shift: float) -> Character:
    rows, columns = np.flatnonzero((stroke > 0.3).any(axis=1)), np.flatnonzero((stroke > 0.3).any(axis=0))
    if not rows.size:
        return Character(np.zeros((2, 2), np.float32), 1.0, label)
    ink = stroke[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Character(ink, len(ink) / 2 - shift, label)


def picture_of(stroke: strokes.Stroke) -> Gray:
    """A stroke picture as the data sets have theirs: (56, 56) uint8, white on black."""
    small = cv2.resize(stroke, (56, 56), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(small, alpha=255).astype(np.uint8, copy=False)


def tailed(character: Character, reach: float, hand: Hand, random: np.random.Generator) -> Character:
    """The character with a connecting stroke from its head, `reach` digit heights beyond it."""
    height, width = character.ink.shape
    more = round(reach * DIGIT)
    canvas = np.zeros((height, width + more), np.uint8)
    y = random.uniform(0.05, 0.3) * height
    points = [(0.55 * width, 0.04 * height), (0.95 * width, y), (width + more, random.uniform(0.1, 0.5) * y)]
    dots = (np.array(points) * 16).round().astype(np.int32)
    cv2.polylines(canvas, [dots], False, (255,), max(1, round(hand.pen * DIGIT)), cv2.LINE_AA, 4)
    ink = canvas.astype(np.float32) / 255
    np.maximum(ink[:, :width], character.ink, out=ink[:, :width])
    return Character(ink, character.middle, character.label)


def mark(mark: Mark, hand: Hand) -> Character:
    """A punctuation mark, see digitlens_train.punctuation, by this hand's pen."""
    lines, label = mark
    ink, _, middle = penned(lines, hand)
    return Character(ink, middle, label)


def penned(lines: list[npt.NDArray[np.float64]], hand: Hand) -> tuple[Floats, float, float]:
    """Draw lines by the hand's pen: x and y in digit heights, y 0 in a digit's middle.

    Returns the ink (h, w) float32, and the column and row of the lines' origin in it.
    """
    points = np.concatenate(lines)
    low, high = points.min(axis=0), points.max(axis=0)
    pen = max(1, round(hand.pen * DIGIT))
    margin = pen + 2
    wide, tall = ((high - low) * DIGIT + 2 * margin).astype(int) + 1
    canvas = np.zeros((tall, wide), np.uint8)
    for line in lines:
        dots = (((line - low) * DIGIT + margin) * 16).round().astype(np.int32)
        cv2.polylines(canvas, [dots], False, (255,), pen, cv2.LINE_AA, 4)
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    ink = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    x, y = (-low * DIGIT + margin - [columns[0], rows[0]]).tolist()
    return ink, x, y


def chained(count: int, hand: Hand, random: np.random.Generator) -> list[Character]:
    """Zeros without lifting the pen, joined at their heads, or at their feet as a cursive e.

    They are slices of one piece of ink, to be placed side by side without a gap.
    """
    high, round_ = random.uniform(0.4, 0.95), random.uniform(0.3, 0.62)
    hand = replace(hand, pen=min(hand.pen, 0.2 * high))
    across = max(0.8 * hand.pen, high * round_ * hand.narrow / 1.2)
    pitch = 2 * across + random.uniform(-0.08, 0.3) * high
    sink = random.normal(0.04, 0.1) + (1 - high) * random.uniform(-0.1, 0.5)
    at_feet = random.random() < 0.4
    points: list[tuple[float, float]] = []
    if random.random() < 0.3:  # from the character before
        points.append((-across - random.uniform(0.05, 0.3), random.uniform(-0.5, 0.3) * high + sink))
    start, turns = (-0.1, random.uniform(0.72, 0.95)) if at_feet else (-0.2, random.uniform(0.95, 1.15))
    begin = start + random.uniform(-0.08, 0.12)
    for k in range(count):
        x, y = k * pitch + random.normal(0, 0.03), sink + random.normal(0, 0.03)
        wide, tall = (half * np.exp(random.normal(0, 0.1)) for half in (across, high / 2))
        if at_feet:  # the upstroke comes first
            points.append((x - wide * random.uniform(0.8, 1.2), y + tall * random.uniform(0.2, 1.0)))
        for part in np.linspace(0, turns, 18):  # counterclockwise, since y points down
            angle = 2 * np.pi * (begin - part)
            points.append((x + wide * np.cos(angle), y + tall * np.sin(angle)))
    if random.random() < 0.5:
        points.append((points[-1][0] + random.uniform(0.1, 0.4), points[-1][1] + random.uniform(-0.2, 0.1)))
    ink, left, middle = penned([np.array(points)], hand)
    edges = [0, *(round(left + (k + 0.5) * pitch * DIGIT) for k in range(count - 1)), ink.shape[1]]
    return [Character(ink[:, start:end], middle, 0) for start, end in pairwise(edges)]


def scribble(random: np.random.Generator) -> Character:
    """A wandering pen, as wide as a few digits."""
    side = round(DIGIT * random.uniform(0.8, 2.2))
    stroke = cv2.resize(negatives.scribble(random, 12, 40), (2 * side, side), interpolation=cv2.INTER_AREA)
    return _trimmed(stroke.astype(np.float32), LETTER, 0.0)
