"""Combs: rows of boxes with one digit of a number in each, joined or apart."""

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import Sheet


def comb_row(
    sheet: Sheet,
    x: float,
    y: float,
    count: int,
    tall: float,
    wide: float | None = None,
    text: str | None = None,
) -> float:
    """A comb of `count` boxes, top left at x, y, holding one number; gives its width in pixels.

    `text` fills the first boxes; None draws a number of any length, flush left, right or in the middle.
    The style, joined or apart, comes from the page's draws.
    """
    height = sheet.height
    wide = height * sheet.spread(0.7, 1.5) if wide is None else wide
    style = sheet.pick(("joined", "joined", "apart", "teeth", "points", "open"))
    gap = 0.0
    if style == "apart":
        gap = min(0.3 * wide, sheet.spread(1.5, 8))
    if sheet.chance(0.15):
        sheet.canvas.fill(x, y, x + count * wide, y + tall, sheet.between(0.6, 0.95))
    end = x + count * wide
    if style == "apart":
        for k in range(count):
            sheet.box(x + k * wide, y, x + (k + 1) * wide - gap, y + tall)
    else:
        if style in ("joined", "points"):
            sheet.box(x, y, end, y + tall)
        if style == "teeth":
            sheet.segments([(x, y + tall, end, y + tall)])
        top = {"joined": 0.0, "open": 0.0, "teeth": sheet.between(0.3, 0.8), "points": 0.85}[style]
        inner = range(1, count) if style in ("joined", "points") else range(count + 1)
        sheet.segments([(x + k * wide, y + top * tall, x + k * wide, y + tall) for k in inner])
    if text is None:
        length = 0 if sheet.chance(0.12) else sheet.whole(1, count) if sheet.chance(0.4) else count
        text = "".join(str(sheet.whole(0, 9)) for _ in range(length))
        if sheet.chance(0.1):
            text = "1" * length
    _write(sheet, text, x, y, count, tall, wide, gap)
    return count * wide


def _write(
    sheet: Sheet, text: str, x: float, y: float, count: int, tall: float, wide: float, gap: float
) -> None:
    """Digit by digit into the boxes, with one truth for all."""
    if not text or sheet.budget <= 0 or y > sheet.tall or x > sheet.wide:
        return
    size = min(sheet.height, tall * sheet.between(0.7, 1.02), 1.9 * wide)
    loose = sheet.pick((0.03, 0.08, 0.15))
    first = sheet.pick((0, 0, 0, count - len(text), (count - len(text)) // 2))
    low, high, left, right = np.inf, -np.inf, np.inf, -np.inf
    for k, character in enumerate(text):
        room = wide - gap
        digit_x = (
            x + (first + k) * wide + room * (0.5 - 0.31 * size / wide) + sheet.random.normal(0, loose) * wide
        )
        digit_y = y + 0.5 * (tall - size) + sheet.random.normal(0, 0.6 * loose) * tall
        sheet.budget -= 1
        width = sheet.hand.digit(sheet.canvas, int(character), digit_x, digit_y, size)
        left, right = min(left, digit_x), max(right, digit_x + width)
        low, high = min(low, digit_y), max(high, digit_y + size)
    sheet.canvas.record(text, (float(left), float(low), float(right - left), float(high - low)))


def comb(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Combs over the page, of any length and fill, with printed or handwritten labels or none."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.35, 1.1)
    place = sheet.pick(("none", "left", "left", "above", "written"))
    fixed = sheet.chance(0.6)
    tall, wide = height * sheet.spread(1.02, 2.2), height * sheet.spread(0.7, 1.8)
    pitch = tall + height * sheet.spread(0.15, 2.5) + (1.3 * size if place == "above" else 0)
    left = sheet.between(-0.8, 2) * height
    for y in sheet.rows(pitch):
        x = left
        while x < sheet.wide:
            if not fixed:
                tall, wide = height * sheet.spread(1.02, 1.8), height * sheet.spread(0.7, 1.8)
            count = sheet.whole(1, 12)
            if place == "left":
                x += sheet.label(x, y + 0.5 * (tall - size), size, None, 6 * size) + 0.3 * height
            elif place == "above":
                sheet.label(x, y - 1.15 * size, size, None, count * wide)
            elif place == "written" and sheet.chance(0.7):
                x += sheet.word(x, y + 0.5 * (tall - height), 0.9 * height) + 0.3 * height
            x += comb_row(sheet, x, y, count, tall, wide)
            x += height * sheet.spread(0.3, 4)


def lone_comb(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """One comb on a page that is empty but for it, now and then with a label or a second one below."""
    sheet = Sheet(canvas, material, random, height)
    tall, wide = height * sheet.spread(1.02, 2.0), height * sheet.spread(0.75, 1.6)
    count = min(sheet.whole(2, 12), max(1, int(0.9 * sheet.wide / wide)))
    x = sheet.between(0, max(1.0, sheet.wide - count * wide))
    y = sheet.between(0, max(1.0, sheet.tall - tall))
    look = sheet.random.random()
    if look < 0.2:
        sheet.label(x, y - 0.9 * height, height * sheet.between(0.3, 0.7), None, count * wide)
    elif look < 0.3:
        sheet.word(x - 4 * height, y + 0.5 * (tall - height), 0.9 * height, 3.5 * height)
    comb_row(sheet, x, y, count, tall, wide)
    if sheet.chance(0.2):
        comb_row(sheet, x, y + tall + height * sheet.spread(0.3, 4), count, tall, wide)


def boxes(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Boxes apart from each other, each with a number of one or several digits, a letter, or nothing."""
    sheet = Sheet(canvas, material, random, height)
    thick = sheet.ruler(min(12.0, sheet.thickness() * sheet.spread(1, 3)))
    even = sheet.chance(0.5)
    digits = sheet.whole(1, 4)
    for y in sheet.rows(height * sheet.spread(1.5, 3.5)):
        x = sheet.between(-0.5, 1.5) * height
        while x < sheet.wide:
            count = digits if even else sheet.whole(1, 6)
            wide = height * (0.62 * count + sheet.spread(0.15, 1.5))
            tall = height * sheet.spread(1.02, 1.9)
            sheet.box(x, y, x + wide, y + tall, thick)
            kind = sheet.random.random()
            if kind < 0.85:
                top = y + 0.5 * (tall - height) + sheet.random.normal(0, 0.06) * height
                start = x + sheet.spread(0.03, 0.4) * height
                sheet.write(sheet.digits(count, count), start, top, max_width=x + wide - start)
            elif kind < 0.92:
                sheet.word(x + 0.1 * height, y + 0.1 * height, 0.8 * height, 0.9 * wide)
            x += wide + height * sheet.spread(0.1, 3)
            if sheet.chance(0.15):
                x += sheet.sign(sheet.pick("+-=/"), x, y) + 0.3 * height
