"""Arithmetic: rows of sums, columns with a bar, fractions, long division, worked examples, equations."""

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.material import Material
from digitlens_train.paper.rows import squares
from digitlens_train.paper.sheet import WIDTH, Sheet


def _ground(sheet: Sheet) -> None:
    """Blank, ruled or squared paper."""
    kind = sheet.random.random()
    if kind < 0.25:
        squares(sheet, max(5.0, sheet.height * sheet.spread(0.5, 1.6)))
    elif kind < 0.4:
        for y in sheet.rows(sheet.height * sheet.spread(1.1, 2.2)):
            sheet.lines.line(sheet.canvas, (0, y), (sheet.wide, y))


def operator(sheet: Sheet, x: float, y: float, which: str | None = None) -> float:
    """A sign of arithmetic between two operands; gives its width. The cross of a product is a letter x."""
    which = which or sheet.pick("++--x/:.")
    height = sheet.height
    if which == "x":
        return sheet.letter(x, y + 0.3 * height, 0.65 * height, "x")
    if which in ":.":
        level = y + height * (0.5 if which == "." else 0.35)
        sheet.stroke([(x + 0.1 * height, level), (x + 0.14 * height, level)], 0.1 * height)
        if which == ":":
            sheet.stroke(
                [(x + 0.1 * height, level + 0.4 * height), (x + 0.14 * height, level + 0.4 * height)]
            )
        return 0.25 * height
    return sheet.sign(which, x, y)


def chain(sheet: Sheet, x: float, y: float, gap: float, longest: int = 3) -> float:
    """'a + b =' or '= c', operand by operand; gives its width."""
    start = x
    sides = sheet.whole(1, 3)
    for k in range(sides + 1):
        x += sheet.write(sheet.text(1, longest, 0.06), x, y) + gap
        if k < sides:
            x += operator(sheet, x, y) + gap
    if sheet.chance(0.85):
        x += sheet.sign("=", x, y) + gap
        if sheet.chance(0.75):
            x += sheet.write(sheet.text(1, longest + 1, 0.06), x, y)
    return x - start


def sums(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Sums in rows: a + b = c, with narrow and wide gaps, brackets, an item's letter or number before."""
    sheet = Sheet(canvas, material, random, height)
    _ground(sheet)
    gap = height * sheet.spread(0.08, 0.6)
    item = sheet.pick(("", "", "letter", "printed", "number"))
    left = sheet.between(-0.5, 1) * height
    for k, y in enumerate(sheet.rows(height * sheet.spread(1.15, 2.6))):
        x = left
        while x < sheet.wide:
            top = y + random.normal(0, 0.05) * height
            if item == "letter":
                x += sheet.letter(x, top) + sheet.sign(")", x + 0.6 * height, top) + 0.5 * height
            elif item == "printed":
                x += sheet.label(x, top + 0.2 * height, 0.7 * height, f"{k + 1})") + 0.4 * height
            elif item == "number":
                x += sheet.write(str(k + 1), x, top)
                x += sheet.sign(")", x, top) + 0.4 * height
            bracket = sheet.chance(0.15)
            if bracket:
                x += sheet.sign("(", x, top) + 0.3 * gap
            x += chain(sheet, x, top, gap)
            if bracket:
                x += sheet.sign(")", x, top)
            x += height * sheet.spread(1.2, 5)
            if sheet.chance(0.1):
                sheet.tick(x - height, top, 0.8 * height)


def column_sums(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Numbers below each other, aligned right, a sign at the left, a bar, the result, carries on top."""
    sheet = Sheet(canvas, material, random, height)
    _ground(sheet)
    pitch = height * sheet.spread(1.02, 1.5)
    by_hand = sheet.chance(0.6)
    top = sheet.between(-1, 1) * height
    while top < sheet.tall:
        x = sheet.between(-0.3, 1.5) * height
        rows = 2
        while x < sheet.wide:
            rows, digits = sheet.whole(2, 4), sheet.whole(2, 5)
            right = x + sheet.length("0" * digits) + 0.9 * height
            y = top
            if sheet.chance(0.2):
                sheet.write(sheet.digits(1, 1), right - 1.5 * height, y - 0.5 * height, height=0.45 * height)
            for row in range(rows):
                text = sheet.digits(max(1, digits - 2), digits)
                sheet.write(text, right - sheet.length(text), y + random.normal(0, 0.03) * height)
                if row == rows - 1:
                    operator(sheet, x, y, sheet.pick("++-x"))
                y += pitch
            bar = y + sheet.between(-0.1, 0.15) * height
            if by_hand:
                sheet.stroke([(x, bar), (right, bar)])
            else:
                sheet.lines.line(canvas, (x, bar), (right, bar))
            if sheet.chance(0.8):
                text = sheet.digits(digits, digits)
                sheet.write(text, right - sheet.length(text), bar + 0.2 * height)
                if sheet.chance(0.15):
                    sheet.stroke([(x, bar + 1.4 * height), (right, bar + 1.4 * height)])
            x = right + sheet.gap(0.7, 4)
        top += (rows + 2) * pitch + height * sheet.spread(0.4, 2)


def fractions(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Fractions with level or slanted bars, mixed numbers, signs between them, roots and powers."""
    sheet = Sheet(canvas, material, random, height)
    _ground(sheet)
    small = height * sheet.between(0.65, 1.0)
    for y in sheet.rows(height * sheet.spread(2.6, 4)):
        x = sheet.between(-0.5, 2) * height
        while x < sheet.wide:
            kind = sheet.random.random()
            middle = y + 0.6 * height
            if kind < 0.2:
                x += sheet.write(sheet.digits(1, 2), x, middle) + 0.15 * height
            if kind < 0.75:
                over, under = sheet.digits(1, 3), sheet.digits(1, 3)
                first, second = sheet.length(over, small), sheet.length(under, small)
                most = max(first, second)
                a = sheet.write(over, x + 0.5 * (most - first), middle + 0.38 * height - small, height=small)
                bar = middle + height * sheet.between(0.45, 0.6)
                b = sheet.write(under, x + 0.5 * (most - second), bar + 0.1 * height, height=small)
                reach = max(a, b, most)
                sheet.stroke([(x - 0.1 * height, bar), (x + reach + 0.1 * height, bar)])
                x += reach
            elif kind < 0.85:
                x += sheet.write(sheet.digits(1, 2), x, middle)
                sheet.write(sheet.digits(1, 1), x, middle - 0.3 * height, height=0.55 * height)
                x += 0.4 * height
            elif kind < 0.92:
                wide = 1.9 * WIDTH * height
                root = np.array([[0, 0.6], [0.2, 1], [0.4, -0.2], [0.5 + wide / height, -0.2]]) * height + [
                    x,
                    middle,
                ]
                sheet.stroke([(float(a), float(b)) for a, b in root])
                sheet.write(sheet.digits(1, 2), x + 0.5 * height, middle, max_width=wide)
                x += 0.5 * height + wide
            else:
                x += sheet.write(sheet.digits(1, 3), x, middle)
            x += 0.35 * height
            if sheet.chance(0.75):
                x += operator(sheet, x, middle, sheet.pick("+-=x=")) + 0.35 * height
            else:
                x += height * sheet.spread(1, 4)


def long_division(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Divisions with all their steps: 'a : b = c' or b)a below a bar, then remainders, each below a bar."""
    sheet = Sheet(canvas, material, random, height)
    _ground(sheet)
    pitch = height * sheet.spread(1.05, 1.5)
    hook = sheet.chance(0.5)
    left = sheet.between(-0.5, 1.5) * height
    while left < sheet.wide:
        top = sheet.between(-0.5, 2) * height
        digits = sheet.whole(2, 6)
        y, x = top, left
        if hook:
            y += pitch
            x += sheet.write(sheet.digits(1, 2), x, y) + 0.1 * height
            wide = sheet.length("0" * digits) + 0.5 * height
            x0 = x + 0.2 * height
            top_bar = y - 0.1 * height
            sheet.stroke([(x, y + height), (x0, y + 0.6 * height), (x0, top_bar), (x0 + wide, top_bar)])
            sheet.write(sheet.digits(1, digits), x0 + 0.4 * height, top - 0.1 * height)
            x = x0 + 0.3 * height
        x += sheet.write(sheet.digits(digits, digits), x, y)
        right = x
        if not hook:
            x += 0.2 * height + operator(sheet, x + 0.2 * height, y, ":") + 0.2 * height
            x += sheet.write(sheet.digits(1, 2), x, y) + 0.2 * height
            x += sheet.sign("=", x, y) + 0.2 * height
            x += sheet.write(sheet.digits(1, digits), x, y)
        start = right - sheet.length("0" * digits)
        for step in range(sheet.whole(1, 2 * digits)):
            y += pitch
            shift = min(digits - 1, step // 2) * WIDTH * height
            if step % 2 == 0:
                sheet.sign("-", start + shift - 0.5 * height, y)
            sheet.write(sheet.digits(1, 2), start + shift, y)
            if step % 2 == 0:
                bar = y + 1.02 * height
                sheet.stroke([(start + shift - 0.2 * height, bar), (start + shift + 1.6 * height, bar)])
        left = max(x, right) + height * sheet.spread(1, 4)


def worked(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A worked example: rows of sums, one below the other at the equals sign, words, results underlined."""
    sheet = Sheet(canvas, material, random, height)
    _ground(sheet)
    gap = height * sheet.spread(0.1, 0.5)
    equals = sheet.between(0.1, 0.5) * sheet.wide
    for y in sheet.rows(height * sheet.spread(1.2, 2.4)):
        kind = sheet.random.random()
        x = sheet.between(0, 1) * height
        if kind < 0.2:
            while x < sheet.wide * 0.9 and sheet.chance(0.8):
                x += sheet.word(x, y, 0.9 * height) + 0.4 * height
            x += sheet.write(sheet.text(1, 4), x, y)
        elif kind < 0.7:
            before = sheet.digits(1, 3)
            sheet.write(before, equals - gap - sheet.length(before), y)
            x = equals + sheet.sign("=", equals, y) + gap
            x += chain(sheet, x, y, gap)
            sheet.letter(x, y + 0.2 * height, 0.8 * height) if sheet.chance(0.2) else None
        else:
            x += chain(sheet, x, y, gap)
        if sheet.chance(0.15):
            for k in range(sheet.whole(1, 2)):
                level = y + height * (1.1 + 0.12 * k)
                sheet.stroke([(x - 2 * height, level), (x, level)])
        if sheet.chance(0.08):
            sheet.box(x - 2 * height, y - 0.15 * height, x + 0.2 * height, y + 1.2 * height)


def equations(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Equations with letters: 3x + 12 = 48, f(x) = 2a - 7, coordinates, indices and powers."""
    sheet = Sheet(canvas, material, random, height)
    _ground(sheet)
    gap = height * sheet.spread(0.05, 0.4)
    names = sheet.pick(("xan", "acd", "xkm", "tuv"))
    for y in sheet.rows(height * sheet.spread(1.25, 2.6)):
        x = sheet.between(-0.5, 2) * height
        equal = False
        for _ in range(sheet.whole(2, 7)):
            if x > sheet.wide:
                break
            if sheet.chance(0.7):
                x += sheet.write(sheet.text(1, 3, 0.05), x, y) + 0.06 * height
            if sheet.chance(0.55):
                name = sheet.pick(names)
                x += sheet.letter(x, y + 0.3 * height, 0.7 * height, name) + 0.04 * height
                if sheet.chance(0.2):
                    up = -0.1 if sheet.chance(0.5) else 0.7
                    x += sheet.write(sheet.digits(1, 1), x, y + up * height, height=0.5 * height)
            if sheet.chance(0.1):
                x += sheet.sign(sheet.pick("()"), x, y)
            x += gap
            which = "=" if not equal and sheet.chance(0.4) else sheet.pick("+-+-/")
            equal = equal or which == "="
            x += sheet.sign(which, x, y) + gap
        x += sheet.write(sheet.text(1, 3, 0.05), x, y)
