"""Patches to learn from and pages to measure on: a layout or a close-up, photographed, with its classes."""

from dataclasses import replace

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Gray
from digitlens_train.paper import geometry
from digitlens_train.paper.camera import take
from digitlens_train.paper.canvas import Canvas, Place, Truth
from digitlens_train.paper.classes import IGNORED
from digitlens_train.paper.geometry import Size, View, pick
from digitlens_train.paper.hand import Hand, Source
from digitlens_train.paper.layouts import LAYOUTS, WEIGHTS
from digitlens_train.paper.lines import Lines
from digitlens_train.paper.material import Material
from digitlens_train.paper.printing import Printer

SMALL = 0.15
"""Share of the patches that are small pictures: a row, a cell, a digit."""
CLOSE_UP = 0.12
"""Share of the patches that are close-ups of digits higher than half the patch."""
TURNED = 1 / 8
"""Share of the patches turned by a quarter or a half."""
ROOM = 1.35
"""Side of a patch's canvas, as a multiple of the patch's."""
HEIGHTS = ((7.0, 12.0), (12.0, 24.0), (24.0, 60.0), (60.0, 200.0))
HEIGHT_SHARES = (0.13, 0.36, 0.37, 0.14)
"""Share of each of HEIGHTS, within which heights of writing are drawn log-uniformly."""
CLOSE_SOURCES: tuple[Source | None, ...] = ("writer", "drawn", "font", None)
"""Hands of close-ups: mostly pen paths, which have no pixels to enlarge."""
INSIDE = 0.9
"""Least part of a number's box inside the picture for the number to count."""

Parts = tuple[Canvas, tuple[float, float, float, float], float]
"""A canvas, the box (left, top, right, bottom) of its ink to be shown, and the height of its writing."""


def patch(random: np.random.Generator, material: Material, side: int = 256) -> tuple[Gray, Gray]:
    """A picture (side, side) uint8 and its classes (side / 2, side / 2) uint8; `side` is even."""
    return several(random, material, 1, side)[0]


def several(
    random: np.random.Generator, material: Material, count: int, side: int = 256
) -> list[tuple[Gray, Gray]]:
    """Patches of one canvas, each photographed anew: drawing a layout takes longer than its picture."""
    kind = random.random()
    size = side, side
    if kind < SMALL:
        canvas, size, height, middle = _small(random, material, side)
        taken = [take(canvas, random, size, geometry.SMALL, height, middle) for _ in range(count)]
    elif kind < SMALL + CLOSE_UP:
        canvas, height = _close_up(random, material, side)
        taken = [take(canvas, random, size, geometry.CLOSE, height) for _ in range(count)]
    else:
        canvas, height = Canvas(round(ROOM * side), round(ROOM * side)), writing_height(random)
        layout = pick(random, list(LAYOUTS), [WEIGHTS[name] for name in LAYOUTS])
        LAYOUTS[layout](canvas, material, random, height)
        taken = [take(canvas, random, size, geometry.PATCH, height) for _ in range(count)]
    placed = []
    for photo in taken:
        turns = pick(random, (1, 3, 2), (0.4, 0.4, 0.2)) if random.random() < TURNED else 0
        gray, classes = np.rot90(photo.gray, turns), np.rot90(photo.classes, turns)
        placed.append(_placed(random, gray, classes, side))
    return placed


def page(
    random: np.random.Generator,
    material: Material,
    layout: str,
    size: Size,
    height: float,
    neat: bool = False,
    mild: bool = True,
) -> tuple[Gray, Gray, list[Truth]]:
    """A whole page by one of LAYOUTS, for measuring by reading.

    Args:
        random: where chance comes from.
        material: the writers, the fonts.
        layout: its name.
        size: of the picture: even height and width.
        height: of the writing, in px.
        neat: whether it is written with care.
        mild: whether it is photographed in good light; else as people do who show a page to a camera.

    Returns:
        The picture (h, w) of `size`, its classes (h / 2, w / 2), and the numbers with at least INSIDE of
        their boxes in it; boxes in px of the picture.
    """
    canvas = Canvas(*size, neat=neat)
    LAYOUTS[layout](canvas, material, random, height)
    photo = take(canvas, random, size, geometry.PAGE if mild else geometry.SHOWN_PAGE, height, mild=mild)
    return photo.gray, photo.classes, _seen(canvas, photo.view)


def small(random: np.random.Generator, material: Material, side: int) -> tuple[Gray, Gray, list[Truth]]:
    """A picture that ends right around a row, a cell or a digit, at most `side` wide and high; as `page`."""
    canvas, size, height, middle = _small(random, material, side)
    photo = take(canvas, random, size, geometry.SMALL, height, middle)
    return photo.gray, photo.classes, _seen(canvas, photo.view)


def _seen(canvas: Canvas, view: View) -> list[Truth]:
    """The numbers with at least INSIDE of their boxes in the picture; boxes in its px."""
    numbers = []
    first, last = np.zeros(2), np.array([canvas.width, canvas.height], float)
    if view.sheet is not None:
        first, last = np.maximum(first, view.sheet[:2]), np.minimum(last, view.sheet[2:])
    for number in canvas.numbers:
        corners = _corners(number.box)
        if _inside(corners, first, last) < INSIDE:
            continue
        seen = view.in_picture(corners)
        if _inside(seen, np.zeros(2), np.array(view.size[::-1], float)) < INSIDE:
            continue
        between = tuple(
            replace(part, box=_box(view.in_picture(_corners(part.box)))) for part in number.between
        )
        numbers.append(replace(number, box=_box(seen), between=between))
    return numbers


def _corners(box: Place) -> Doubles:
    """The corners (4, 2) of a box."""
    x, y, width, high = box
    return np.array([[x, y], [x + width, y], [x + width, y + high], [x, y + high]], np.float64)


def _box(corners: Doubles) -> Place:
    """The upright box around corners (4, 2)."""
    (left, upper), (right, lower) = corners.min(0).tolist(), corners.max(0).tolist()
    return left, upper, right - left, lower - upper


def _inside(corners: Doubles, low: Doubles, high: Doubles) -> float:
    """The part of the box around corners (4, 2) that lies between two corners (2,) of a larger one."""
    first, last = corners.min(0), corners.max(0)
    seen = np.maximum(np.minimum(last, high) - np.maximum(first, low), 0)
    return float(np.prod(seen) / np.prod(np.maximum(last - first, 1e-6)))


def writing_height(random: np.random.Generator) -> float:
    """The height of a patch's writing in px: 7 to 200, mostly 12 to 60."""
    return _log_uniform(random, *pick(random, HEIGHTS, HEIGHT_SHARES))


def _close_up(random: np.random.Generator, material: Material, side: int) -> tuple[Canvas, float]:
    """One or a few digits of 0.6 to 2.3 times the patch's side, now and then letters or print instead."""
    height = side * _log_uniform(random, 0.6, 2.3)
    large = round(side * ROOM)
    canvas = Canvas(large, large)
    pen = height * _log_uniform(random, 0.03, 0.24)
    source = pick(random, CLOSE_SOURCES, (0.5, 0.3, 0.1, 0.1))
    hand = Hand.draw(random, material, height, pen, source=source)
    # The first sign's middle lies in the middle half of the canvas: some of it is seen.
    x, y = random.uniform(0.25, 0.75, 2) * large - np.array([0.3, 0.5]) * height
    kind = random.random()
    if random.random() < 0.35:
        lines = Lines.draw(random, height * random.uniform(0.01, 0.08))
        base = y + height * random.uniform(0.95, 1.15)
        for at in (base, base - height * random.uniform(1.05, 1.5)):
            lines.line(canvas, (-5, at), (large + 5, at + random.normal(0, 0.02) * large))
        if random.random() < 0.5:
            for at in (x - 0.1 * height, x + random.uniform(0.7, 1.2) * height):
                lines.line(canvas, (at, -5), (at + random.normal(0, 0.02) * large, large + 5))
    if kind < 0.8:
        before = hand.digit(canvas, int(random.integers(10)), x, y)
        for step, value in ((1, int(random.integers(10))), (-1, int(random.integers(10)))):
            if random.random() < 0.6:
                gap = random.uniform(0.05, 0.4) * height
                at = x + before + gap if step > 0 else x - 0.6 * height - gap
                hand.digit(canvas, value, at, y + random.normal(0, 0.05) * height)
    elif kind < 0.9:
        hand.letter(canvas, x, y)
    else:
        Printer.draw(random, material).text(canvas, x - height, y, height * random.uniform(0.6, 1))
    if random.random() < 0.1:  # small writing beside it
        low = height * random.uniform(0.06, 0.2)
        Hand.draw(random, material, low).word(canvas, *random.uniform(0, 0.8, 2) * large)
    return canvas, height


def _small(
    random: np.random.Generator, material: Material, side: int
) -> tuple[Canvas, Size, float, tuple[float, float]]:
    """A canvas, the size, at most `side`, of a picture that ends right around its ink, height and middle."""
    draw = pick(random, (_row, _cell, _digit), (0.45, 0.2, 0.35))
    canvas, (left, top, right, bottom), height = draw(random, material, side)
    margins = random.uniform(0, 1, 4) ** pick(random, (1, 2, 4), (0.3, 0.4, 0.3)) * height
    left, top, right, bottom = left - margins[0], top - margins[1], right + margins[2], bottom + margins[3]
    width = min(side, max(8, 2 * round((right - left) / 2)))
    high = min(side, max(8, 2 * round((bottom - top) / 2)))
    middle = (left + right) / 2, (top + bottom) / 2
    return canvas, (high, width), height, middle


def _row(random: np.random.Generator, material: Material, side: int) -> Parts:
    """A number of a few digits, on a line or not, now and then a word or print."""
    count = int(random.integers(1, 13))
    height = min(_log_uniform(random, 9, 110), 0.9 * side, 1.3 * side / count)
    canvas = Canvas(round(3 * height) + 8, round(1.5 * side))
    hand = Hand.draw(random, material, height)
    x, y = 0.3 * height + 2, height
    text = "".join(str(digit) for digit in random.integers(0, 10, count))
    kind = random.random()
    if kind < 0.9:
        hand.number(canvas, text, x, y, max_width=0.98 * side)
    elif kind < 0.95:
        hand.word(canvas, x, y, max_width=0.98 * side)
    else:
        Printer.draw(random, material).text(canvas, x, y, 0.8 * height, max_width=0.98 * side)
    box = _ink(canvas)
    if random.random() < 0.3:
        lines = Lines.draw(random, max(1.0, 0.06 * height))
        base = y + height * random.uniform(0.9, 1.15)
        lines.line(canvas, (-5, base), (canvas.width + 5, base + random.normal(0, 0.01) * side))
        if random.random() < 0.4:
            lines.line(canvas, (-5, base - 1.3 * height), (canvas.width + 5, base - 1.3 * height))
    return canvas, box, height


def _cell(random: np.random.Generator, material: Material, side: int) -> Parts:
    """A box, or the ends of its lines, with a digit, a number, a letter or nothing in it."""
    height = min(_log_uniform(random, 10, 150), 0.55 * side)
    high = height * random.uniform(1.02, 1.8)
    digits = pick(random, (1, 2, 4), (0.7, 0.15, 0.15))
    width = min(height * (0.4 + 0.65 * digits) * random.uniform(0.9, 1.6), 0.95 * side)
    canvas = Canvas(round(high + height) + 8, round(width + height) + 8)
    x, y = height / 2 + 4, height / 2 + 4
    hand = Hand.draw(random, material, height)
    lines = Lines.draw(random, max(1.0, height * random.uniform(0.02, 0.1)))
    over = random.uniform(0, 0.4) * height if random.random() < 0.6 else 0.0  # the lines of a table go on
    for at in (y, y + high):
        lines.line(canvas, (x - over, at), (x + width + over, at))
    for at in (x, x + width):
        lines.line(canvas, (at, y - over), (at, y + high + over))
    kind, inset = random.random(), random.uniform(0.05, 0.3) * height
    tall = height * random.uniform(0.6, 1.0)
    at = y + random.uniform(-0.05, 1.0) * (high - tall)
    if kind < 0.75:
        text = "".join(str(digit) for digit in random.integers(0, 10, digits))
        hand.number(canvas, text, x + inset, at, tall, max_width=width)
    elif kind < 0.85:
        hand.letter(canvas, x + inset, at, tall)
    elif kind < 0.92:
        Printer.draw(random, material).text(canvas, x + inset, at, 0.7 * tall, max_width=width - inset)
    pen = 0.05 * height
    return canvas, (x - pen, y - pen, x + width + pen, y + high + pen), height * random.uniform(0.05, 0.4)


def _digit(random: np.random.Generator, material: Material, side: int) -> Parts:
    """One digit of any size, now and then a letter or a sign."""
    height = min(_log_uniform(random, 10, 240), 0.95 * side)
    canvas = Canvas(round(2.2 * height) + 8, round(3 * height) + 8)
    hand = Hand.draw(random, material, height)
    x, y = height, 0.6 * height
    kind = random.random()
    if kind < 0.88:
        hand.number(canvas, str(random.integers(10)), x, y)
    elif kind < 0.96:
        hand.letter(canvas, x, y)
    else:
        hand.sign(canvas, pick(random, "+-/=", (0.25,) * 4), x, y)
    return canvas, _ink(canvas), height


def _ink(canvas: Canvas) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all ink; the canvas's own where there is none."""
    x, y, width, height = cv2.boundingRect(canvas.tone)
    if not width:
        return 0.0, 0.0, float(canvas.width), float(canvas.height)
    return float(x), float(y), float(x + width), float(y + height)


def _placed(random: np.random.Generator, gray: Gray, classes: Gray, side: int) -> tuple[Gray, Gray]:
    """A picture within the patch, its border replicated all around, where the classes are IGNORED."""
    height, width = gray.shape
    down, right = side - height, side - width
    if not down and not right:
        return np.ascontiguousarray(gray), np.ascontiguousarray(classes)
    top, left = (2 * int(random.integers(0, room // 2 + 1)) for room in (down, right))
    filled = cv2.copyMakeBorder(gray, top, down - top, left, right - left, cv2.BORDER_REPLICATE)
    around = np.full((side // 2, side // 2), IGNORED, np.uint8)
    around[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = classes
    return np.asarray(filled, np.uint8), around


def _log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))
