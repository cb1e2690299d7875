"""Everyday papers: meter readings, labels by marker, boards, struck-out lists, annotated print."""

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.combs import comb_row
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import WIDTH, Sheet


def meters(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Readings: a word, a printed label or a date, a long number with zeros in front, a comma, a unit."""
    sheet = Sheet(canvas, material, random, height)
    printed = sheet.chance(0.4)
    size = height * sheet.spread(0.4, 0.9)
    style = sheet.pick(("free", "free", "line", "comb", "frame"))
    for y in sheet.rows(height * sheet.spread(1.3, 3)):
        x = sheet.between(-0.3, 1) * height
        if sheet.chance(0.3):
            x += (
                sheet.write(f"{sheet.whole(1, 31)}.{sheet.whole(1, 12)}.{sheet.whole(18, 29)}", x, y)
                + 0.5 * height
            )
        if printed:
            x += sheet.label(x, y + 0.3 * height, size, None, 6 * height) + 0.4 * height
        elif sheet.chance(0.6):
            x += sheet.word(x, y, 0.9 * height, 5 * height) + 0.4 * height
            if sheet.chance(0.4):
                x += sheet.sign(sheet.pick(":-="), x, y) + 0.3 * height
        text = "0" * sheet.pick((0, 0, 1, 2)) + sheet.digits(3, 7)
        text += sheet.pick(("", f",{sheet.digits(1, 3)}", f".{sheet.digits(1, 3)}", ""))
        if style == "comb":
            x += comb_row(sheet, x, y, sheet.whole(5, 9), 1.3 * height)
        else:
            start = x
            x += sheet.write(text, x, y)
            if style == "line":
                sheet.lines.line(canvas, (start, y + 1.1 * height), (x, y + 1.1 * height))
            elif style == "frame":
                margin = sheet.between(0.03, 0.4) * height
                sheet.box(start - margin, y - margin, x + margin, y + height + margin)
        x += 0.25 * height
        if sheet.chance(0.5):
            for letter in sheet.pick(("kwh", "m", "km", "h", "W", "")):
                x += sheet.letter(x, y + 0.25 * height, 0.75 * height, letter)
        while sheet.chance(0.4) and x < sheet.wide:
            x += sheet.gap(0.7, 2)
            x += sheet.write(sheet.digits(2, 6), x, y)


def labels(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Numbers by a thick marker on cardboard: folds, tapes, stickers with print, arrows, rings and frames."""
    sheet = Sheet(canvas, material, random, height)
    if sheet.chance(0.7):
        canvas.fill(0, 0, sheet.wide, sheet.tall, sheet.between(0.35, 0.85))
    for _ in range(sheet.whole(0, 3)):
        x, y = sheet.between(-0.2, 0.9) * sheet.wide, sheet.between(-0.2, 0.9) * sheet.tall
        canvas.fill(
            x, y, x + height * sheet.spread(1, 9), y + height * sheet.spread(0.5, 6), sheet.between(0.4, 1)
        )
    for _ in range(sheet.whole(0, 2)):
        a, b = sheet.between(0, sheet.tall), sheet.between(0, sheet.tall)
        sheet.lines.line(canvas, (0, a), (sheet.wide, b))
    size = height * sheet.spread(0.25, 0.8)
    for y in sheet.rows(height * sheet.spread(1.2, 3)):
        x = sheet.between(-0.5, 3) * height
        while x < sheet.wide:
            kind, start = sheet.random.random(), x
            if kind < 0.6:
                x += sheet.write(sheet.text(1, 5, 0.2), x, y)
                if sheet.chance(0.12):
                    sheet.stroke([(start, y + 1.15 * height), (x, y + 1.15 * height)])
                elif sheet.chance(0.1):
                    sheet.lines.ring(
                        canvas, (start + x) / 2, y + 0.5 * height, max(0.8 * height, 0.6 * (x - start))
                    )
            elif kind < 0.72:
                x += sheet.letter(x, y) + sheet.pick((0.05, 0.3)) * height
                x += sheet.write(sheet.digits(1, 3), x, y)
            elif kind < 0.85:
                x += sheet.word(x, y)
            elif kind < 0.93:
                x += sheet.label(x, y + 0.3 * height, size, sheet.digits(3, 9) if sheet.chance(0.5) else None)
            else:
                arrow(sheet, x, y)
                x += 1.5 * height
            x += sheet.gap(0.6, 4)


def arrow(sheet: Sheet, x: float, y: float) -> None:
    """An arrow by hand, about 1.5 heights long."""
    height = sheet.height
    tip = (x + sheet.between(0.8, 1.5) * height, y + sheet.between(0.2, 0.8) * height)
    sheet.stroke([(x, y + 0.5 * height), tip])
    sheet.stroke(
        [
            (tip[0] - 0.3 * height, tip[1] - 0.25 * height),
            tip,
            (tip[0] - 0.3 * height, tip[1] + 0.25 * height),
        ]
    )


def board(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A board: large sums and numbers scattered, words, arrows, drawings, rings, underlined results."""
    sheet = Sheet(canvas, material, random, height)
    if sheet.chance(0.4):
        canvas.fill(0, 0, sheet.wide, sheet.tall, sheet.between(0.6, 0.95))
    for y in sheet.rows(height * sheet.spread(1.5, 3)):
        x = sheet.between(-0.5, 4) * height
        tilt = random.normal(0, 0.04)
        start = x
        while x < sheet.wide:
            top = y + tilt * (x - start)
            kind = sheet.random.random()
            if kind < 0.45:
                before = x
                x += sheet.write(sheet.text(1, 4, 0.1), x, top)
                if sheet.chance(0.1):
                    sheet.lines.ring(
                        canvas, (before + x) / 2, top + 0.5 * height, max(0.8 * height, 0.6 * (x - before))
                    )
            elif kind < 0.65:
                x += sheet.sign(sheet.pick("+-=/()x"), x, top)
            elif kind < 0.75:
                x += sheet.letter(x, top)
            elif kind < 0.85:
                x += sheet.word(x, top)
            elif kind < 0.9:
                arrow(sheet, x, top)
                x += 1.5 * height
            elif kind < 0.94:
                side = height * sheet.between(1, 3)
                sheet.hand.drawing(canvas, x, top, side)
                x += side
            else:
                sheet.stroke([(x - 2 * height, top + 1.2 * height), (x, top + 1.15 * height)])
            x += sheet.gap(*sheet.pick(((0.2, 0.5), (0.5, 3.0))))


def struck_list(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Numbers and words in columns or rows, struck out in part, with the right number beside or above."""
    sheet = Sheet(canvas, material, random, height)
    share = sheet.between(0.1, 0.6)
    wide = height * sheet.spread(3, 7)
    if sheet.chance(0.4):
        sheet.segments([(0, y, sheet.wide, y) for y in sheet.levels(height * sheet.spread(1.1, 1.8))])
    for y in sheet.rows(height * sheet.spread(1.15, 2.2)):
        for left in np.arange(sheet.between(-0.5, 1) * height, sheet.wide, wide):
            x = float(left) + random.normal(0, 0.1) * height
            text = sheet.text(1, 4, 0.1)
            if sheet.chance(0.15):
                x += sheet.word(x, y, 0.9 * height, wide)
            elif sheet.chance(share):
                x += sheet.struck(text, x, y)
                if sheet.chance(0.4):
                    sheet.write(sheet.digits(1, 3), x + 0.3 * height, y - sheet.between(0, 0.3) * height)
            else:
                x += sheet.write(text, x, y)
                if sheet.chance(0.1):
                    sheet.tick(x + 0.3 * height, y, 0.8 * height)
            if sheet.chance(0.03):
                sheet.hand.scribble(canvas, x, y, 1.5 * height, height)


def annotated(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A printed page, its type far smaller to as large as the writing, with a few handwritten numbers."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.3, 1.1)
    pitch = size * sheet.spread(1.2, 2)
    numbers = sheet.between(0.05, 0.5)
    gaps = sheet.between(0.03, 0.3)
    margin = sheet.between(0, 0.3) * sheet.wide
    y = sheet.between(-1, 1) * size
    printed = 0
    while y < sheet.tall and printed < 160:
        x = margin + random.normal(0, 0.02) * size
        end = sheet.wide * sheet.between(0.7, 1.1)
        wrote = False
        while x < end:
            if sheet.chance(gaps):
                before = x
                x += sheet.write(sheet.text(1, 4), x, y + size - height)
                if sheet.chance(0.3):
                    sheet.lines.line(canvas, (before, y + 1.05 * size), (x, y + 1.05 * size))
                wrote = True
            elif sheet.chance(0.1):
                x += height * sheet.between(1, 4)
            else:
                x += sheet.label(x, y, size, sheet.text(1, 6) if sheet.chance(numbers) else None)
                printed += 1
            x += size * sheet.between(0.3, 0.7)
        y += max(pitch, 1.15 * height) if wrote else pitch
        if sheet.chance(0.08):
            y += 1.2 * height
    for _ in range(sheet.whole(0, 3)):
        text = sheet.text(1, 4)
        x = sheet.between(-0.3, 1) * margin if sheet.chance(0.6) else sheet.between(0, 1) * sheet.wide
        y = sheet.between(0, 1) * (sheet.tall - height)
        wide = sheet.write(text, x, y)
        if sheet.chance(0.3):
            sheet.lines.ring(canvas, x + wide / 2, y + height / 2, 0.65 * max(wide, height))


def overwritten(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Printed, stamped or shaded ground with handwritten numbers right over or beside the type."""
    sheet = Sheet(canvas, material, random, height)
    for y in sheet.rows(height * sheet.spread(1.3, 2.5)):
        x = sheet.between(-0.5, 2) * height
        size = height * sheet.spread(0.4, 1.3)
        while x < sheet.wide:
            text = sheet.digits(1, 5)
            wide = WIDTH * height * len(text)
            place = sheet.pick(("over", "beside", "beside", "below", "none"))
            if place == "over":
                sheet.label(x - 0.3 * height, y + sheet.between(-0.2, 0.6) * height, size, None, 1.5 * wide)
            elif place == "below":
                sheet.label(x, y + height * sheet.between(0.9, 1.1), 0.5 * size)
            elif place == "beside":
                what = sheet.pick((None, "$", "Nr.", "+", "=", "x", "kg", "%", sheet.digits(1, 3)))
                x += sheet.label(x, y + 0.5 * (height - size), size, what) + sheet.between(0.02, 0.5) * height
            if sheet.chance(0.12):
                canvas.fill(x, y, x + wide, y + height, sheet.between(0.6, 0.95))
            x += sheet.write(text, x, y) + sheet.gap(0.3, 3)
