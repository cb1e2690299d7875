"""Rows of numbers: on blank, ruled and squared paper, single rows, lists and notes."""

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.grids import fill_in, steps
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import WIDTH, Cell, Sheet


def free_rows(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Rows of numbers on blank paper, by one hand or several."""
    sheet = Sheet(canvas, material, random, height)
    several = sheet.chance(0.2)
    longest = sheet.pick((2, 4, 8, 12))
    pitch = height * sheet.spread(1.15, 3)
    signs = sheet.pick((0.0, 0.0, 0.15, 0.5))
    for y in sheet.rows(pitch):
        hand = sheet.writer(0.3) if several else sheet.hand
        x = sheet.between(-0.5, 2.5) * height
        drift = random.normal(0, 0.02)
        start = x
        while x < sheet.wide:
            top = y + drift * (x - start) + random.normal(0, 0.06) * height
            if sheet.chance(0.07):
                x += sheet.word(x, top, 0.9 * height)
            elif sheet.chance(0.04):
                x += sheet.struck(sheet.digits(1, 4), x, top)
            else:
                x += sheet.write(sheet.text(1, longest, signs), x, top, hand)
            x += sheet.gap(0.5, 5)
            if sheet.chance(0.15):
                break


def ruled(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Numbers and words on ruled paper: on the line, above it, or through it."""
    sheet = Sheet(canvas, material, random, height)
    pitch = height * sheet.spread(0.75, 2.6)
    sit = sheet.between(-0.15, 0.35) if sheet.chance(0.8) else sheet.between(-0.7, 0)
    skip = sheet.pick((1, 1, 1, 2))
    if sheet.chance(0.3):
        x = sheet.between(0.02, 0.3) * sheet.wide
        sheet.ruler().line(canvas, (x, 0), (x, sheet.tall))
    levels = sheet.levels(pitch)
    for y in levels:
        sheet.lines.line(canvas, (0, y), (sheet.wide, y + random.normal(0, 0.3)))
    for y in sheet.rows(pitch, levels[:: skip if pitch > 1.1 * height else 2]):
        x = sheet.between(-0.3, 3) * height
        while x < sheet.wide:
            top = y - height * (1 + sit) + random.normal(0, 0.07) * height
            if sheet.chance(0.12):
                x += sheet.word(x, top, height * sheet.between(0.7, 1))
            elif sheet.chance(0.1):
                x += sheet.sign(sheet.pick("+-=/()"), x, top)
            else:
                x += sheet.write(sheet.text(1, 6), x, top)
            x += sheet.gap(0.4, 6)


def squared(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Numbers on squared paper, free of its squares."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.35, 2.2)
    squares(sheet, max(5.0, size))
    for y in sheet.rows(height * sheet.spread(1.2, 2.6)):
        x = sheet.between(-0.5, 4) * height
        while x < sheet.wide:
            if sheet.chance(0.1):
                x += sheet.sign(sheet.pick("+-=/()"), x, y)
            elif sheet.chance(0.06):
                x += sheet.word(x, y, 0.9 * height)
            else:
                x += sheet.write(sheet.text(1, 5), x, y)
            x += sheet.gap(0.4, 6)


def squares(sheet: Sheet, size: float) -> tuple[list[float], list[float]]:
    """Rules the whole page in squares of `size` pixels; gives where the lines are."""
    xs = steps(sheet, sheet.between(-size, 0), sheet.wide + size, size)
    ys = steps(sheet, sheet.between(-size, 0), sheet.tall + size, size)
    lines = sheet.lines
    if lines.by_hand or lines.pattern != "full":  # squares are mostly printed
        lines = sheet.ruler(min(lines.thickness, 0.2 * size))
    sheet.segments([(x, 0, x, sheet.tall) for x in xs] + [(0, y, sheet.wide, y) for y in ys], lines)
    return xs, ys


def square_digits(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Digits and signs one by one in the squares of squared paper, or each in two squares' height."""
    sheet = Sheet(canvas, material, random, height)
    fill = sheet.pick((1, 1, 1, 2))
    size = height * sheet.spread(1.02, 1.9) / fill
    xs, ys = squares(sheet, max(5.0, size))
    line = sheet.pick((1, 2, 2, 3)) * fill
    start = sheet.whole(0, fill)
    for row in range(start, len(ys) - fill, line):
        column = sheet.whole(0, 3)
        while column < len(xs) - 1:
            count = sheet.whole(1, 6)
            for text in sheet.digits(count, count):
                if column >= len(xs) - 1:
                    break
                x = xs[column] + 0.5 * (size - 0.6 * height) + random.normal(0, 0.05) * height
                y = ys[row] + 0.5 * (fill * size - height) + random.normal(0, 0.05) * height
                sheet.write(text, x, y, max_width=size * 1.05)
                column += 1
            if sheet.chance(0.4) and column < len(xs) - 1:
                sheet.sign(sheet.pick("+-=/"), xs[column] + 0.2 * size, ys[row], height)
                column += 1
            column += sheet.whole(1, 5)


def single_row(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """One number or a few in one row, with nothing else or with a line below or a box around them."""
    sheet = Sheet(canvas, material, random, height)
    y = sheet.between(0.1, 0.9) * (sheet.tall - height)
    x = sheet.between(0, 0.5) * sheet.wide
    start, more = x, True
    while x < sheet.wide - 0.5 * height and more:
        x += sheet.write(sheet.text(1, 9, 0.15), x, y)
        more = sheet.chance(0.4)
        x += sheet.gap(0.5, 4) if more else 0
    look = sheet.random.random()
    if look < 0.2:
        level = y + height * sheet.between(0.9, 1.4)
        sheet.lines.line(canvas, (start - height, level), (x + height, level))
    elif look < 0.35:
        margin = height * sheet.between(0.02, 0.8)
        sheet.box(start - margin, y - margin, x + margin, y + height + margin)
    elif look < 0.45:
        sheet.stroke([(start, y + 1.15 * height), (x, y + 1.2 * height)])
    elif look < 0.55:
        sheet.label(start, y - 1.2 * height, height * sheet.between(0.3, 0.8))
    elif look < 0.65:
        sheet.word(start - 3.5 * height, y, 0.9 * height, 3 * height)


def lists(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Lists: 'a) word - number', '1. word 12', with an item's sign before and a unit behind."""
    sheet = Sheet(canvas, material, random, height)
    if sheet.chance(0.3):
        pitch = height * sheet.spread(1.0, 1.8)
        sheet.segments([(0, y, sheet.wide, y) for y in sheet.levels(pitch)])
    style = sheet.pick(("letter", "number", "dash", "none", "printed"))
    column = sheet.between(0.35, 0.75) * sheet.wide if sheet.chance(0.5) else None
    left = sheet.between(-0.2, 1.5) * height
    between = sheet.pick(("-", "=", "", "", "/", ","))
    for k, y in enumerate(sheet.rows(height * sheet.spread(1.15, 2.4))):
        x = left + random.normal(0, 0.1) * height
        if style == "letter":
            x += sheet.letter(x, y) + 0.08 * height
            x += sheet.sign(")", x, y)
        elif style == "number":
            x += sheet.write(str(k + 1), x, y) + 0.05 * height
            x += sheet.sign(sheet.pick(".)"), x, y)
        elif style == "dash":
            x += sheet.sign("-", x, y)
        elif style == "printed":
            x += sheet.label(x, y, height * sheet.between(0.5, 0.8), f"{k + 1}.")
        x += 0.4 * height
        if sheet.chance(0.85):
            x += sheet.word(x, y, 0.9 * height) + 0.4 * height
        if between and sheet.chance(0.7):
            x += sheet.sign(between, x, y) + 0.3 * height
        x = x if column is None else max(x, column + random.normal(0, 0.1) * height)
        x += sheet.write(sheet.text(1, 4, 0.2), x, y)
        if sheet.chance(0.2):
            sheet.letter(x + 0.15 * height, y + 0.2 * height, 0.8 * height)
        elif sheet.chance(0.1):
            sheet.stroke([(left, y + height * 1.1), (x, y + height * 1.1)])


def notes(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Running notes: words, letters and numbers mixed, by the same pen."""
    sheet = Sheet(canvas, material, random, height)
    share = sheet.between(0.1, 0.6)
    for y in sheet.rows(height * sheet.spread(1.2, 2.2)):
        x = sheet.between(-0.5, 1.5) * height
        end = sheet.wide * sheet.between(0.6, 1.1)
        while x < end:
            top = y + random.normal(0, 0.05) * height
            kind = sheet.random.random()
            if kind < share:
                x += sheet.write(sheet.text(1, 5, 0.2), x, top)
            elif kind < share + 0.08:
                x += sheet.letter(x, top) + 0.05 * height
                x += sheet.write(sheet.digits(1, 2), x, top) if sheet.chance(0.5) else 0
            elif kind < share + 0.13:
                x += sheet.sign(sheet.pick("+-=/()"), x, top)
            else:
                x += sheet.word(x, top, height * sheet.between(0.75, 1.05))
            x += sheet.gap(0.25, 0.9)


def columns(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Columns of numbers without lines, at even or uneven distances."""
    sheet = Sheet(canvas, material, random, height)
    digits = sheet.whole(1, 5)
    pitch = height * (WIDTH * digits + sheet.spread(0.5, 4))
    align = sheet.pick(("left", "right", "center", "any"))
    left = sheet.between(-0.5, 1) * height
    for y in sheet.rows(height * sheet.spread(1.05, 2.2)):
        for x in np.arange(left, sheet.wide, pitch):
            cell = Cell(float(x), y, float(x) + WIDTH * digits * height * 1.1, y + 1.1 * height)
            if sheet.chance(0.85):
                fill_in(sheet, cell, longest=digits, align=align)
