"""Rows of writing as the network `numbers` sees them, with known truth: composed, photographed, cut out.

A row is written at DIGIT pixels a digit, then brought to the size of some photo, put on some paper and
seen through the runtime's own eyes (digitlens.ink, digitlens.strips).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from digitlens import strips
from digitlens.ink import find_ink
from digitlens.strips import BLANK, OTHER, SEPARATOR, STEP
from digitlens_train import backgrounds, hands, others, punctuation, strokes
from digitlens_train.crops import Sources, _shares
from digitlens_train.strokes import Gray

Floats = npt.NDArray[np.float32]

DIGIT = 40
"""Pixels of a digit's height as it is written."""
ROOM = 3
"""Digit heights of the canvas."""
UNKNOWN = 255
"""Of a column: it may be this or that."""
LONGEST = 22
"""Labels of a row at the most."""


@dataclass(frozen=True)
class Sign:
    """One sign's ink (h, w) float32 and the row of it that stands in the middle of the writing."""

    ink: Floats
    middle: float
    label: int


@dataclass
class Hand:
    """How a row is written; lengths in digit heights.

    `gap` is the usual one between two signs, `kern` how much it is measured between the strokes and not
    between the boxes.
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

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Hand":
        """Any hand: hairline to marker, wide to overlapping, upright or slanted."""
        close = random.random()
        if close < 0.45:
            gap = random.uniform(-0.06, 0.12)
        elif close < 0.85:
            gap = random.uniform(0.08, 0.4)
        else:
            gap = random.uniform(0.3, 1.1)
        return cls(
            pen=float(np.exp(random.uniform(np.log(0.045), np.log(0.2)))),
            gap=gap,
            kern=random.uniform(0, 1),
            unrest=random.uniform(0.1, 1.0),
            slant=float(np.clip(random.normal(0.12, 0.25), -0.5, 0.8)),
            tilt=float(np.clip(random.normal(0, 0.022), -0.06, 0.06)),
            drift=random.uniform(0, 0.07),
            narrow=float(np.exp(random.normal(-0.05, 0.17))),
            small_zeros=random.random() < 0.12,
        )


@dataclass(frozen=True)
class Strip:
    """A strip (HEIGHT, w) uint8, its labels in order, and for each output column a label or UNKNOWN."""

    picture: Gray
    labels: list[int]
    columns: Gray


@dataclass
class _Row:
    """Signs as they are set one after another."""

    signs: list[tuple[Sign, int]] = field(default_factory=list)
    reach: npt.NDArray[np.int64] = field(default_factory=lambda: np.full(ROOM * DIGIT, -1, np.int64))
    end: int = 0


def make(sources: Sources, random: np.random.Generator) -> Strip:
    """One strip; the same for the same state of the generator."""
    while True:
        strip = _strip(sources, random)
        if strip is not None:
            return strip


def _strip(sources: Sources, random: np.random.Generator) -> Strip | None:
    hand = Hand.draw(random)
    row = _write(sources, hand, random)
    if row.end > 20 * DIGIT or len(row.signs) > 40:
        return None
    side = round(DIGIT * random.uniform(0.6, 1.6))
    width, height = row.end + 2 * side, ROOM * DIGIT
    ink = np.zeros((height, max(width, 2 * DIGIT)), np.float32)
    places = []
    for sign, left in row.signs:
        top = _top(sign)
        part = ink[top : top + len(sign.ink), left + side : left + side + sign.ink.shape[1]]
        np.maximum(part, sign.ink[: len(part)], out=part)
        places.append((left + side + sign.ink.shape[1] / 2, sign.ink.shape[1], sign.label))
    ink = _bent(ink, hand, random)
    rows = np.flatnonzero((ink > 0.4).any(axis=1))
    first, last = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (DIGIT, 2 * DIGIT)
    tall = max(last - first, 0.6 * DIGIT)
    if random.random() < 0.2:
        _neighbors(ink, (first, last), hand, sources, random)
    if random.random() < 0.08:
        ink = _broken(ink, random)

    digit = float(np.exp(random.uniform(np.log(12), np.log(48))))
    scale = digit / DIGIT
    size = max(8, round(ink.shape[1] * scale)), max(8, round(ink.shape[0] * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    gray = _photograph(small.astype(np.float32), digit, (first * scale, last * scale), hand, random)
    # Cut as the runtime would: now closely, now with much room.
    above, below = (max(-0.02, random.normal(strips.PAD, 0.08)) * tall for _ in range(2))
    before, after = (max(0.05, random.normal(0.45, 0.25)) * DIGIT for _ in range(2))
    top, bottom = (first - above) * scale, (last + below) * scale
    left, right = (side - before) * scale, (row.end + side + after) * scale
    # Of the page beside the strip the runtime sees much or nothing.
    beyond = [random.uniform(0, 0.8) * digit for _ in range(4)]
    y0, y1 = max(0, round(top - beyond[0])), min(len(gray), round(bottom + beyond[1]))
    x0, x1 = max(0, round(left - beyond[2])), min(gray.shape[1], round(right + beyond[3]))
    if y1 - y0 < 8 or x1 - x0 < 8:
        return None
    contrast = find_ink(np.ascontiguousarray(gray[y0:y1, x0:x1])).contrast
    picture = strips.to_strip(contrast, top - y0, bottom - y0, left - x0, right - x0)
    across = strips.HEIGHT / (bottom - top) * scale  # pixels of the strip for one of the canvas
    offset = left / scale
    labels = _folded([label for _, _, label in places])
    wide = picture.shape[1]
    if wide > strips.WIDTHS[-1] or len(labels) > LONGEST:
        return None
    columns = _columns([((x - offset) * across, w * across, label) for x, w, label in places], wide)
    needed = len(labels) + sum(one == next_ for one, next_ in zip(labels, labels[1:], strict=False))
    if needed >= len(columns):
        return None
    return Strip(picture, labels, columns)


def _columns(places: list[tuple[float, float, int]], wide: int) -> Gray:
    """What each output column shows: a sign's middle is the sign, its sides are unknown, the rest nothing."""
    columns = np.full(-(-wide // STEP), BLANK, np.uint8)
    for x, w, label in places:
        reach = 1.6 * w if label == OTHER else 0.55 * w
        columns[max(0, int((x - reach) / STEP)) : max(0, int((x + reach) / STEP) + 1)] = UNKNOWN
    for x, w, label in places:
        reach = 0.3 * w if label == OTHER else min(2.0, 0.2 * w)
        columns[max(0, round((x - reach) / STEP)) : max(0, round((x + reach) / STEP)) + 1] = label
    # Between two of a kind there is a column of nothing, or they would be one.
    for (x, w, label), (x2, w2, label2) in zip(places, places[1:], strict=False):
        middle = round((x + w / 2 + x2 - w2 / 2) / 2 / STEP)
        if label == label2 != OTHER and 0 <= middle < len(columns):
            columns[middle] = BLANK
    return columns


def _folded(labels: list[int]) -> list[int]:
    """Signs that are no digits count once, however many stand side by side."""
    return [label for k, label in enumerate(labels) if label != OTHER or k == 0 or labels[k - 1] != OTHER]


def _write(sources: Sources, hand: Hand, random: np.random.Generator) -> _Row:
    row = _Row()
    kind = random.random()
    if kind < 0.5:
        _number(row, sources, hand, random, int(random.integers(1, 11)), 0.06)
    elif kind < 0.72:
        _amount(row, sources, hand, random)
    elif kind < 0.8:
        for part in range(int(random.integers(2, 4))):  # a date, a phone number
            if part:
                _gap(row, hand, random, sources)
            _number(row, sources, hand, random, int(random.integers(1, 5)), 0)
    elif kind < 0.9:
        _mixed(row, sources, hand, random)
    elif kind < 0.96:
        _word(row, sources, hand, random, int(random.integers(1, 9)))
    elif kind < 0.985:
        for _ in range(int(random.integers(1, 3))):
            _set(row, _scribbled(random), hand, random, 0.3)
    return row


def _number(
    row: _Row, sources: Sources, hand: Hand, random: np.random.Generator, count: int, parted: float
) -> None:
    again = random.random() < 0.15  # a hand repeats itself
    label = None
    for _ in range(count):
        if parted and row.signs and random.random() < parted:
            _mark(row, punctuation.separator(random), SEPARATOR, hand, random)
        label = label if again and random.random() < 0.5 else None
        sign = _digit(sources, hand, random, label)
        label = sign.label
        _set(row, sign, hand, random)


def _amount(row: _Row, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """As on a cheque: a currency's mark or a stroke before it, dots in it, dashes behind it."""
    lead = random.random()
    if lead < 0.2:
        _mark(row, punctuation.sign(random), OTHER, hand, random)
    elif lead < 0.3:
        _mark(row, punctuation.ending(random), SEPARATOR, hand, random)
    count = int(random.integers(1, 4))
    groups = int(random.integers(1, 3))
    for group in range(groups):
        if group:
            style = random.random()
            if style < 0.75:
                _mark(row, punctuation.dot_or_comma(random), SEPARATOR, hand, random)
            count = 3
        zeros = group and random.random() < 0.35
        for _ in range(count):
            _set(row, _digit(sources, hand, random, 0 if zeros else None), hand, random)
    end = random.random()
    if end < 0.45:
        for _ in range(int(random.integers(1, 3))):
            _mark(row, punctuation.ending(random), SEPARATOR, hand, random)
    elif end < 0.55:
        _mark(row, punctuation.sign(random), OTHER, hand, random)


def _mixed(row: _Row, sources: Sources, hand: Hand, random: np.random.Generator) -> None:
    """A word or a mark beside a number."""
    parts = [True, False] if random.random() < 0.5 else [False, True]
    for part, is_word in enumerate(parts):
        if part:
            _gap(row, hand, random, sources)
        if is_word and random.random() < 0.6:
            _word(row, sources, hand, random, int(random.integers(2, 6)))
        elif is_word:
            _mark(row, punctuation.sign(random), OTHER, hand, random)
        else:
            _number(row, sources, hand, random, int(random.integers(1, 7)), 0.04)


def _word(row: _Row, sources: Sources, hand: Hand, random: np.random.Generator, count: int) -> None:
    if not sources.others:
        _set(row, _scribbled(random), hand, random)
        return
    pictures = sources.others[int(random.integers(len(sources.others)))]
    for _ in range(count):
        picture = pictures[int(random.integers(len(pictures)))]
        sign = _inked(picture, OTHER, hand, random, float(random.uniform(0.7, 1.15)))
        _set(row, sign, hand, random, 0.6 * hand.gap)


def _gap(row: _Row, hand: Hand, random: np.random.Generator, sources: Sources) -> None:
    """Wide room between two numbers, with or without a mark in it."""
    if random.random() < 0.4:
        _mark(row, punctuation.separator(random), SEPARATOR, hand, random)
    else:
        row.end += round(DIGIT * random.uniform(0.4, 1.6))
        row.reach[:] = row.end


def _digit(sources: Sources, hand: Hand, random: np.random.Generator, label: int | None) -> Sign:
    """A digit of the data sets, or one drawn in another form; of `label`, if one is wanted."""
    for _ in range(200):
        if random.random() < 0.2:
            stroke, own = hands.draw(random)
            picture = cv2.convertScaleAbs(cv2.resize(stroke, (56, 56), interpolation=cv2.INTER_AREA), alpha=255)
        else:
            which = int(np.searchsorted(np.cumsum(_shares(len(sources.digits))), random.random()))
            which = min(which, len(sources.digits) - 1)
            images, labels = sources.digits[which]
            index = int(random.integers(len(labels)))
            picture, own = images[index], int(labels[index])
        if label is None or own == label:
            break
    if own == 1 and random.random() < 0.2:
        picture = cv2.convertScaleAbs(
            cv2.resize(strokes.one(random), (56, 56), interpolation=cv2.INTER_AREA), alpha=255
        )
    size = float(np.exp(random.normal(0, 0.1 * hand.unrest)))
    if own == 0 and hand.small_zeros:
        size *= 0.65
    return _inked(picture.astype(np.uint8, copy=False), own, hand, random, size, seven_bar=own == 7)


def _inked(
    picture: Gray, label: int, hand: Hand, random: np.random.Generator, size: float, seven_bar: bool = False
) -> Sign:
    """A picture's sign in this hand's pen, `size` times a digit's height, bent a little."""
    x, y, w, h = cv2.boundingRect((picture > 40).astype(np.uint8))
    wanted = DIGIT * size
    # A wide sign keeps its width in bounds, as in the data sets' own boxes.
    zoom = wanted / max(h, 0.75 * w, 1)
    turn = np.deg2rad(random.normal(0, 4 * hand.unrest))
    slant = random.normal(0, 0.1 * hand.unrest)
    across = zoom * hand.narrow * np.exp(random.normal(0, 0.1 * hand.unrest))
    down = zoom * np.exp(random.normal(0, 0.05 * hand.unrest))
    margin = 8
    wide, high = round(w * across + 2 * margin + 0.4 * wanted), round(h * down + 2 * margin + 6)
    linear = np.array([[across * np.cos(turn), -across * np.sin(turn) - slant * down], [down * np.sin(turn), down * np.cos(turn)]])
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
    """The same sign by a pen `wanted` pixels wide, as far as thinning does not break it."""
    inside = (stroke > 0.5).astype(np.uint8)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    area = float(np.count_nonzero(inside))
    if not area:
        return stroke
    now = 4 * float(within.sum()) / area  # of a ribbon, the mean distance to the edge is a quarter
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


def _trimmed(stroke: Floats, label: int, shift: float) -> Sign:
    rows, columns = np.flatnonzero((stroke > 0.3).any(axis=1)), np.flatnonzero((stroke > 0.3).any(axis=0))
    if not rows.size:
        return Sign(np.zeros((2, 2), np.float32), 1.0, label)
    ink = stroke[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Sign(ink, len(ink) / 2 - shift, label)


def _mark(
    row: _Row, lines: list[npt.NDArray[np.float64]], label: int, hand: Hand, random: np.random.Generator
) -> None:
    """Set a mark drawn with the hand's own pen."""
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
    middle = -low[1] * DIGIT + margin - rows[0]
    _set(row, Sign(ink, float(middle), label), hand, random, max(0.0, hand.gap) * random.uniform(0.3, 1.2))


def _scribbled(random: np.random.Generator) -> Sign:
    side = round(DIGIT * random.uniform(0.8, 2.2))
    stroke = cv2.resize(others.scribble(random, 12, 40), (2 * side, side), interpolation=cv2.INTER_AREA)
    return _trimmed(stroke.astype(np.float32), OTHER, 0.0)


def _top(sign: Sign) -> int:
    highest = ROOM * DIGIT - len(sign.ink)
    return int(np.clip(round(ROOM * DIGIT / 2 - sign.middle), 0, max(0, highest)))


def _set(
    row: _Row, sign: Sign, hand: Hand, random: np.random.Generator, gap: float | None = None
) -> None:
    """Put a sign behind the others, as closely as the hand writes."""
    if len(sign.ink) > ROOM * DIGIT:
        return
    top = _top(sign)
    spread = 0.05 + 0.2 * max(0.0, hand.gap)
    wanted = ((hand.gap if gap is None else gap) + random.normal(0, spread * hand.unrest)) * DIGIT
    left = 0
    if row.signs:
        inked = sign.ink > 0.4
        starts = np.where(inked.any(axis=1), inked.argmax(axis=1), sign.ink.shape[1])
        around = cv2.dilate(row.reach.astype(np.float32)[:, np.newaxis], np.ones((9, 1), np.uint8)).ravel()
        by_stroke = float((around[top : top + len(starts)] - starts).max()) + 1
        left = round(hand.kern * by_stroke + (1 - hand.kern) * row.end + wanted)
        # However closely: a sign does not stand on the one before.
        before, at = row.signs[-1]
        left = max(left, at + round(0.4 * min(before.ink.shape[1], sign.ink.shape[1])) + 3, at + 3)
    row.signs.append((sign, left))
    ends = np.where((sign.ink > 0.4).any(axis=1), sign.ink.shape[1] - (sign.ink[:, ::-1] > 0.4).argmax(axis=1), -(10**6))
    part = row.reach[top : top + len(ends)]
    np.maximum(part, left + ends, out=part)
    row.end = max(row.end, left + sign.ink.shape[1])


def _bent(ink: Floats, hand: Hand, random: np.random.Generator) -> Floats:
    """The whole row slanted, climbing, and warped smoothly."""
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
    """The pen is lifted, or skips, at a few places."""
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
    """The feet of the row above, the heads of the row below: at the strip's edges, not in the writing."""
    images, _ = sources.digits[0]
    for below in (False, True):
        if random.random() < 0.4:
            continue
        x = random.uniform(0, 0.5) * ink.shape[1]
        while x < ink.shape[1]:
            sign = _inked(images[int(random.integers(len(images)))], OTHER, hand, random, 1.0).ink
            reach = random.uniform(0.02, 0.16) * DIGIT
            top = round(rows[1] + random.uniform(0, 0.12) * DIGIT) if below else round(rows[0] - len(sign) - reach)
            part = sign[: max(0, len(ink) - top)] if below else sign[max(0, -top) :]
            top = max(0, top)
            left = round(x)
            spot = ink[top : top + len(part), left : left + sign.shape[1]]
            np.maximum(spot, part[: len(spot), : spot.shape[1]], out=spot)
            x += sign.shape[1] + DIGIT * random.uniform(0.05, 2)


def _photograph(
    ink: Floats, digit: float, rows: tuple[float, float], hand: Hand, random: np.random.Generator
) -> Gray:
    """Ink on some paper, seen by some camera: (h, w) uint8, mostly dark on light."""
    height, width = ink.shape
    size = width, height
    dark = backgrounds.draw(size, digit, random)
    if random.random() < 0.33:
        tilt = hand.tilt if random.random() < 0.5 else random.normal(0, 0.01)
        low, high = rows[1] + random.normal(0.06, 0.12) * digit, rows[0] - random.normal(0.15, 0.2) * digit
        which = int(random.choice(4, p=(0.55, 0.1, 0.2, 0.15)))
        lines = ([low], [high], [low, high], [random.uniform(rows[0], rows[1])])[which]
        np.maximum(dark, backgrounds.rules(size, lines, digit, tilt, random), out=dark)
    if random.random() < 0.06:  # what was written on the sheet's other side
        through = cv2.GaussianBlur(ink[:, ::-1], (0, 0), 0.06 * digit)
        through = np.roll(through, int(random.integers(-width // 2, width // 2 + 1)), axis=1)
        np.maximum(dark, np.float32(random.uniform(0.04, 0.2)) * through, out=dark)
    depth = np.float32(random.uniform(0.25, 0.9))
    paper = random.uniform(90, 250)
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis], np.linspace(-1, 1, width, dtype=np.float32)
    light = 1 + np.float32(random.normal(0, 0.08)) * x + np.float32(random.normal(0, 0.06)) * y
    if random.random() < 0.12:
        edge, width_of_it = random.uniform(-0.8, 0.8), random.uniform(0.03, 0.3)
        beyond = (x + random.normal(0, 0.3) * y - np.float32(edge)) / np.float32(width_of_it)
        light = light * (1 - np.float32(random.uniform(0.1, 0.4)) / (1 + np.exp(-beyond)))
    page = np.float32(paper) * light * (1 - depth * ink) * (1 - dark)
    soft = random.uniform(0.25, 0.65) + random.uniform(0, 0.02) * digit
    page = cv2.GaussianBlur(page.astype(np.float32), (0, 0), soft)
    noise = random.normal(0, 1, (height // 2 + 1, width)).astype(np.float32) * np.float32(
        random.uniform(0, 0.05) * float(depth) * paper
    )
    page = page + np.concatenate([noise, noise[::-1, ::-1]])[:height]
    gray = np.clip(page, 0, 255).astype(np.uint8)
    if random.random() < 0.02:
        gray = 255 - gray
    if random.random() < 0.6:
        _, packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(45, 96))])
        gray = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return gray
