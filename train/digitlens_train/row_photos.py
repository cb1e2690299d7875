"""Training rows for the network `numbers`: written, put on paper, photographed and cropped.

A row is written with digits DIGIT pixels high, scaled to a random size, put on paper and cropped by the
runtime's own code (digitlens.paper.rules.ink, digitlens.rows.crop).
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.arrays import Floats, Gray
from digitlens.paper.rules.ink import find_ink
from digitlens.rows import recognizer
from digitlens.rows.crop import CROP_HEIGHT, crop_row
from digitlens.rows.recognizer import LETTER, NETWORK_BLANK, STEP, SYMBOL
from digitlens_train import backgrounds, row_writer, writing
from digitlens_train.crops import Sources
from digitlens_train.row_writer import WrittenRow
from digitlens_train.traced_writing import UNKNOWN
from digitlens_train.writing import DIGIT, Hand

MERGED = {LETTER, SYMBOL}
"""Classes of which one label stands for all that follow each other."""
AROUND = 0.14
"""Mean margin above and below a row, as a fraction of its height."""
FAR = 0.15
"""Share of the rows with larger margins."""
PALER = 0.68
"""Largest darkness of a pattern, as a fraction of the ink's."""
MAX_LABELS = 22
"""Most labels of a row."""


@dataclass(frozen=True)
class RowImage:
    """A row crop (HEIGHT, w) uint8, its labels in order, and a label or UNKNOWN for each output column."""

    picture: Gray
    labels: list[int]
    columns: Gray


def make(sources: Sources, random: np.random.Generator) -> RowImage:
    """Draw a row; the same for the same state of the generator."""
    while True:
        row = _row_image(sources, random)
        if row is not None:
            return row


@dataclass(frozen=True)
class _Photo:
    """A photographed row; lengths in pixels of its canvas, `scale` times as many of `gray`.

    Attributes:
        gray: (h, w) uint8.
        digit: height of a digit in `gray`, pixels.
        rows: first and last of the ink.
        side: paper before the row and behind it.
        end: width of the row.
        places: middle, width and label of each character.
        labels: of the row, in order.
    """

    gray: Gray
    digit: float
    scale: float
    rows: tuple[int, int]
    side: int
    end: int
    places: list[tuple[float, float, int]]
    labels: list[int]


def strip(sources: Sources, random: np.random.Generator) -> tuple[Gray, str]:
    """A picture of a random row with some paper around it, and its digits; the same for the same state."""
    while True:
        hand = Hand.draw(random)
        found = strip_of(row_writer.write(sources, hand, random), hand, sources, random)
        if found is not None:
            return found


def strip_of(
    row: WrittenRow, hand: Hand, sources: Sources, random: np.random.Generator, alone: bool = False
) -> tuple[Gray, str] | None:
    """A picture of a row with some paper around it, and its digits; None where it is longer than rows are.

    `alone` leaves out the rows above and below, and gaps in the ink.
    """
    photo = _photo(row, hand, sources, random, alone)
    if photo is None:
        return None
    first, last = photo.rows
    tall = max(last - first, 0.6 * DIGIT)
    above, below = random.uniform(0.05, 0.8, 2) * tall
    before, after = random.uniform(0.1, 1.0, 2) * min(photo.side, DIGIT)
    edges = first - above, last + below, photo.side - before, photo.side + photo.end + after
    top, bottom, left, right = (max(0, round(edge * photo.scale)) for edge in edges)
    part = photo.gray[top : max(bottom, top + 12), left : max(right, left + 12)]
    return np.ascontiguousarray(part), "".join(str(label) for label in photo.labels if label < 10)


def _photo(
    row: WrittenRow, hand: Hand, sources: Sources, random: np.random.Generator, alone: bool = False
) -> _Photo | None:
    """Photograph a row; None where it is longer than rows are."""
    if row.end > 20 * DIGIT or len(row.characters) > 40:
        return None
    side = round(DIGIT * random.uniform(0.6, 1.6))
    width, height = row.end + 2 * side, row_writer.ROOM * DIGIT
    ink = np.zeros((height, max(width, 2 * DIGIT)), np.float32)
    places: list[tuple[float, float, int]] = []
    signs: list[int] = []
    for character, left in row.characters:
        top = row_writer.top_of(character)
        part = ink[top : top + len(character.ink), left + side : left + side + character.ink.shape[1]]
        np.maximum(part, character.ink[: len(part)], out=part)
        places.append((left + side + character.ink.shape[1] / 2, character.ink.shape[1], character.label))
        signs += character.several or (character.label,)
    ink = _bent(ink, hand, random)
    inked = np.flatnonzero((ink > 0.4).any(axis=1))
    first, last = (int(inked[0]), int(inked[-1]) + 1) if inked.size else (DIGIT, 2 * DIGIT)
    if not alone and random.random() < 0.2:
        _neighbors(ink, (first, last), hand, sources, random)
    if not alone and random.random() < 0.08:
        ink = _broken(ink, random)

    digit = float(np.exp(random.uniform(np.log(12), np.log(48))))
    scale = digit / DIGIT
    size = max(8, round(ink.shape[1] * scale)), max(8, round(ink.shape[0] * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    gray = _photograph(small.astype(np.float32), digit, (first * scale, last * scale), hand, random)
    return _Photo(gray, digit, scale, (first, last), side, row.end, places, folded(signs))


def _row_image(sources: Sources, random: np.random.Generator) -> RowImage | None:
    """Draw a row; None where it does not fit the network's input or labels."""
    hand = Hand.draw(random)
    photo = _photo(row_writer.write(sources, hand, random), hand, sources, random)
    if photo is None:
        return None
    gray, digit, scale, side, width = photo.gray, photo.digit, photo.scale, photo.side, photo.end
    (first, last), places, labels = photo.rows, photo.places, photo.labels
    # Cropped as by the runtime: tightly or with wide margins.
    tall = max(last - first, 0.6 * DIGIT)
    above, below = (max(-0.02, random.normal(AROUND, 0.08)) * tall for _ in range(2))
    if random.random() < FAR:  # a rule, a speck or a neighbor counts as part of the row
        above, below = above + random.uniform(0, 0.4) * tall, below + random.uniform(0, 0.4) * tall
    before, after = (max(0.05, random.normal(0.45, 0.25)) * DIGIT for _ in range(2))
    upper, lower = (first - above) * scale, (last + below) * scale
    start, end = (side - before) * scale, (width + side + after) * scale
    # The runtime binarizes with more or less of the page around the row.
    beyond = [random.uniform(0, 0.8) * digit for _ in range(4)]
    y0, y1 = max(0, round(upper - beyond[0])), min(len(gray), round(lower + beyond[1]))
    x0, x1 = max(0, round(start - beyond[2])), min(gray.shape[1], round(end + beyond[3]))
    if y1 - y0 < 8 or x1 - x0 < 8:
        return None
    crop, zoom = _enlarged(np.ascontiguousarray(gray[y0:y1, x0:x1]), digit)
    sides = (upper - y0) * zoom, (lower - y0) * zoom, (start - x0) * zoom, (end - x0) * zoom
    picture = crop_row(find_ink(crop).contrast, *sides)
    across = CROP_HEIGHT / (lower - upper) * scale  # row pixels per canvas pixel
    offset = start / scale
    wide = picture.shape[1]
    if wide > recognizer.WIDTHS[-1] or len(labels) > MAX_LABELS:
        return None
    columns = _columns([((x - offset) * across, w * across, label) for x, w, label in places], wide)
    needed = len(labels) + sum(one == next_ for one, next_ in pairwise(labels))
    if needed >= len(columns):
        return None
    return RowImage(picture, labels, columns)


def _enlarged(gray: Gray, digit: float) -> tuple[Gray, float]:
    """Enlarge a picture with low digits as the runtime does; returns it and the scale."""
    runtime = ReaderParameters()
    if digit >= runtime.low_writing:
        return gray, 1.0
    height = runtime.enlarged_height
    size = round(gray.shape[1] * height / digit), round(gray.shape[0] * height / digit)
    large = cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC)
    return large.astype(np.uint8, copy=False), height / digit


def _columns(places: list[tuple[float, float, int]], wide: int) -> Gray:
    """Each output column's label: a character's in its middle, UNKNOWN at its sides, blank elsewhere."""
    columns = np.full(-(-wide // STEP), NETWORK_BLANK, np.uint8)
    for x, w, label in places:
        reach = 1.6 * w if label in MERGED else 0.55 * w
        columns[max(0, int((x - reach) / STEP)) : max(0, int((x + reach) / STEP) + 1)] = UNKNOWN
    for x, w, label in places:
        if label == UNKNOWN:
            continue
        reach = 0.3 * w if label in MERGED else min(2.0, 0.2 * w)
        columns[max(0, round((x - reach) / STEP)) : max(0, round((x + reach) / STEP)) + 1] = label
    # CTC merges equal neighbors unless a blank separates them.
    for (x, w, label), (x2, w2, label2) in pairwise(places):
        middle = round((x + w / 2 + x2 - w2 / 2) / 2 / STEP)
        if label == label2 and label not in (*MERGED, UNKNOWN) and 0 <= middle < len(columns):
            columns[middle] = NETWORK_BLANK
    return columns


def folded(labels: list[int]) -> list[int]:
    """Merge adjacent letters, and adjacent symbols, into one label."""
    return [
        label for k, label in enumerate(labels) if label not in MERGED or k == 0 or labels[k - 1] != label
    ]


def _bent(ink: Floats, hand: Hand, random: np.random.Generator) -> Floats:
    """Slant, tilt and smoothly warp the row."""
    height, width = ink.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    knots = max(3, round(width / 24)), 4
    field_ = random.normal(0, 1.3 * hand.unrest, (2, knots[1], knots[0])).astype(np.float32)
    dx, dy = (cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in field_)
    middle = np.float32(height / 2)
    dx += np.float32(hand.slant) * (y - middle)
    dy += np.float32(hand.tilt) * (x - np.float32(width / 2))
    sway = np.float32(random.uniform(0, 2.5) * (random.random() < 0.3))
    dy += sway * np.sin(x / np.float32(random.uniform(40, 120)) + np.float32(random.uniform(0, 6)))
    return cv2.remap(ink, x + dx, y + dy, cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _broken(ink: Floats, random: np.random.Generator) -> Floats:
    """A pen that lifts or skips at a few places."""
    gone = np.zeros(ink.shape, np.uint8)
    places = np.argwhere(ink > 0.5)
    if not len(places):
        return ink
    for _ in range(int(random.integers(1, 5))):
        y, x = places[random.integers(len(places))].tolist()
        angle, length = random.uniform(0, np.pi), random.uniform(3, 10)
        dx, dy = int(length * np.cos(angle)), int(length * np.sin(angle))
        cv2.line(gone, (x - dx, y - dy), (x + dx, y + dy), (255,), int(random.integers(1, 4)), cv2.LINE_AA)
    return ink * (1 - gone.astype(np.float32) / 255)


def _neighbors(
    ink: Floats, rows: tuple[int, int], hand: Hand, sources: Sources, random: np.random.Generator
) -> None:
    """Add the feet of the row above and the heads of the row below, outside the row's own ink."""
    images, _ = sources.digits[0]
    for below in (False, True):
        if random.random() < 0.4:
            continue
        x = random.uniform(0, 0.5) * ink.shape[1]
        while x < ink.shape[1]:
            character = writing.inked(
                images[int(random.integers(len(images)))], LETTER, hand, random, 1.0
            ).ink
            reach = random.uniform(0.02, 0.16) * DIGIT
            top = (
                round(rows[1] + random.uniform(0, 0.12) * DIGIT)
                if below
                else round(rows[0] - len(character) - reach)
            )
            part = character[: max(0, len(ink) - top)] if below else character[max(0, -top) :]
            top = max(0, top)
            left = round(x)
            spot = ink[top : top + len(part), left : left + character.shape[1]]
            np.maximum(spot, part[: len(spot), : spot.shape[1]], out=spot)
            x += character.shape[1] + DIGIT * random.uniform(0.05, 2)


def _photograph(
    ink: Floats, digit: float, rows: tuple[float, float], hand: Hand, random: np.random.Generator
) -> Gray:
    """Ink on random paper through a random camera: (h, w) uint8, mostly dark on light."""
    height, width = ink.shape
    size = width, height
    depth = np.float32(random.uniform(0.25, 0.9))
    dark = backgrounds.draw(size, digit, random)
    # A pattern as dark as the ink would make the row illegible.
    dark *= min(1.0, PALER * float(depth) / max(1e-3, float(dark.max())))
    if random.random() < 0.33:
        tilt = hand.tilt if random.random() < 0.5 else random.normal(0, 0.01)
        low, high = rows[1] + random.normal(0.06, 0.12) * digit, rows[0] - random.normal(0.15, 0.2) * digit
        which = int(random.choice(4, p=(0.63, 0.1, 0.2, 0.07)))
        lines = ([low], [high], [low, high], [random.uniform(rows[0], rows[1])])[which]
        np.maximum(dark, backgrounds.rules(size, lines, digit, tilt, random), out=dark)
    if random.random() < 0.06:  # show-through of the sheet's other side
        through = cv2.GaussianBlur(ink[:, ::-1], (0, 0), 0.06 * digit)
        through = np.roll(through, int(random.integers(-width // 2, width // 2 + 1)), axis=1)
        np.maximum(dark, np.float32(random.uniform(0.04, 0.2)) * through, out=dark)
    paper = random.uniform(90, 250)
    y, x = (
        np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis],
        np.linspace(-1, 1, width, dtype=np.float32),
    )
    light = 1 + np.float32(random.normal(0, 0.08)) * x + np.float32(random.normal(0, 0.06)) * y
    if random.random() < 0.12:
        edge, edge_width = random.uniform(-0.8, 0.8), random.uniform(0.03, 0.3)
        beyond = (x + random.normal(0, 0.3) * y - np.float32(edge)) / np.float32(edge_width)
        light = light * (1 - np.float32(random.uniform(0.1, 0.4)) / (1 + np.exp(-beyond)))
    page = np.float32(paper) * light * (1 - depth * ink) * (1 - dark)
    soft = random.uniform(0.25, 0.55) + random.uniform(0, 0.018) * digit
    page = cv2.GaussianBlur(page.astype(np.float32), (0, 0), soft)
    noise = random.normal(0, 1, (height // 2 + 1, width)).astype(np.float32) * np.float32(
        random.uniform(0, 0.04) * float(depth) * paper
    )
    page = page + np.concatenate([noise, noise[::-1, ::-1]])[:height]
    gray: Gray = np.clip(page, 0, 255).astype(np.uint8)
    if random.random() < 0.02:
        gray = np.bitwise_not(gray)
    if random.random() < 0.6:
        _, packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(45, 96))])
        gray = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return gray
