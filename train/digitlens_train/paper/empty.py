"""Papers without a handwritten digit: words, print, scribbles, drawings, empty grids, keys, symbols."""

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.combs import comb_row
from digitlens_train.paper.grids import Grid, label_cell, rule, shade, steps
from digitlens_train.paper.material import Material
from digitlens_train.paper.rows import squares
from digitlens_train.paper.sheet import Cell, Sheet


def words(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A handwritten page of words, with or without lines."""
    sheet = Sheet(canvas, material, random, height)
    pitch = height * sheet.spread(1.1, 2)
    lined = sheet.chance(0.5)
    for y in sheet.rows(pitch):
        x = sheet.between(-1, 2) * height
        if lined:
            sheet.lines.line(canvas, (0, y + height), (sheet.wide, y + height))
        while x < sheet.wide and sheet.chance(0.95):
            if sheet.chance(0.06):
                x += sheet.sign(sheet.pick("+-=/()?!"), x, y)
            elif sheet.chance(0.08):
                x += sheet.letter(x, y)
            else:
                x += sheet.word(x, y, height * sheet.between(0.8, 1.1))
            x += height * sheet.between(0.3, 0.8)


def printed_page(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A page of printed words, with headings, columns and frames, in one or several fonts."""
    _printed(canvas, material, random, height, sheet_share=0.08)


def printed_numbers(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A page of printed numbers: lists, tables, receipts."""
    _printed(canvas, material, random, height, sheet_share=0.85)


def _printed(
    canvas: Canvas, material: Material, random: np.random.Generator, height: float, sheet_share: float
) -> None:
    sheet = Sheet(canvas, material, random, height)
    gridded = sheet.chance(0.35)
    size = height * sheet.spread(0.5, 1.2)
    wide, pitch = size * sheet.spread(2, 7), size * sheet.spread(1.15, 2.2)
    area = sheet.frame(0.1)
    grid = Grid(steps(sheet, area.x0, area.x1, wide, 0.2), steps(sheet, area.y0, area.y1, pitch))
    if gridded:
        if sheet.chance(0.4):
            shade(sheet, grid)
        rule(sheet, grid)
    fonts = [sheet.type, sheet.printer()]
    for row, column in sheet.shuffled(grid.places())[:110]:
        cell = grid.cell(row, column)
        if sheet.chance(0.12):
            continue
        sheet.type = sheet.pick(fonts) if sheet.chance(0.1) else fonts[0]
        what = sheet.text(1, 6, 0.3) if sheet.chance(sheet_share) else None
        label_cell(sheet, cell, size * (sheet.between(1, 1.6) if sheet.chance(0.03) else 1), what)


def scribbles(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Scribbles, strokes, ticks, struck-out numbers and tally marks."""
    sheet = Sheet(canvas, material, random, height)
    if sheet.chance(0.3):
        squares(sheet, max(6.0, height * sheet.spread(0.5, 2)))
    kinds = sheet.shuffled(("scribble", "struck", "tally", "tick", "strokes", "blot", "arrow"))[
        : sheet.whole(1, 4)
    ]
    for y in sheet.rows(height * sheet.spread(1.3, 3)):
        x = sheet.between(-1, 3) * height
        while x < sheet.wide:
            kind = sheet.pick(kinds)
            wide = height * sheet.spread(0.6, 5)
            if kind == "scribble":
                sheet.hand.scribble(canvas, x, y, wide, height)
            elif kind == "struck":
                wide = sheet.struck(sheet.digits(1, 4), x, y)
            elif kind == "tally":
                wide = 1.7 * height
                sheet.hand.tally(canvas, x, y, height, sheet.pick((4, 5, 5, 5)))
            elif kind == "tick":
                wide = height
                sheet.tick(x, y, height * sheet.between(0.6, 1))
            elif kind == "blot":
                sheet.stroke([(x, y), (x + 0.2 * height, y + 0.1 * height)], height * sheet.between(0.2, 0.6))
            else:
                ends = random.uniform(0, 1, (sheet.whole(3, 7), 2)) * [wide, height] + [x, y]
                sheet.stroke([(float(a), float(b)) for a, b in ends])
            x += wide + height * sheet.spread(0.4, 4)


def drawings(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Drawings by hand: curves, houses, circles, axes and hatched shapes."""
    sheet = Sheet(canvas, material, random, height)
    for _ in range(sheet.whole(2, 9)):
        side = height * sheet.spread(1, 6)
        x, y = sheet.between(-0.5, 1) * sheet.wide, sheet.between(-0.3, 1) * sheet.tall
        sheet.hand.drawing(canvas, x, y, side)
    for _ in range(sheet.whole(0, 3)):
        x, y = sheet.between(0, 1) * sheet.wide, sheet.between(0, 1) * sheet.tall
        wide, tall = height * sheet.spread(1, 6), height * sheet.spread(1, 5)
        for k in range(sheet.whole(3, 10)):
            at = x + k * wide / 8
            sheet.stroke([(at, y), (at + 0.3 * tall, y + tall)])
    if sheet.chance(0.3):
        sheet.word(sheet.between(0, 0.7) * sheet.wide, sheet.between(0, 0.9) * sheet.tall)


def empty_grid(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Paper of lines alone: ruled, squared, empty tables, empty combs, empty rings; now and then nothing."""
    sheet = Sheet(canvas, material, random, height)
    kind = sheet.whole(0, 5)
    if kind == 0:
        squares(sheet, max(5.0, height * sheet.spread(0.3, 2.5)))
    elif kind == 1:
        sheet.segments([(0, y, sheet.wide, y) for y in sheet.levels(height * sheet.spread(0.6, 3))])
    elif kind == 2:
        area = sheet.frame(0.2)
        xs = steps(sheet, area.x0, area.x1, height * sheet.spread(0.4, 6), 0.4)
        grid = Grid(xs, steps(sheet, area.y0, area.y1, height * sheet.spread(0.6, 4), 0.2))
        shade(sheet, grid)
        rule(sheet, grid)
        for row, column in sheet.shuffled(grid.places())[: sheet.whole(0, 12)]:
            label_cell(sheet, grid.cell(row, column), height * 0.6)
    elif kind == 3:
        for y in sheet.rows(height * sheet.spread(1.3, 3)):
            x = sheet.between(0, 2) * height
            while x < sheet.wide:
                count, wide = sheet.whole(1, 9), height * sheet.spread(0.2, 1.4)
                x += comb_row(sheet, x, y, count, height * sheet.spread(0.9, 1.6), wide, "")
                x += height * sheet.spread(0.3, 4)
    elif kind == 4:
        for y in sheet.rows(height * sheet.spread(1.1, 2)):
            x = sheet.between(0, 2) * height
            while x < sheet.wide:
                sheet.lines.ring(canvas, x, y, height * sheet.between(0.3, 0.5))
                x += height * sheet.spread(0.9, 3)


def keys(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Boxes in rows with one printed letter or digit each: keyboards, calculators, panels of buttons."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(1.2, 2.5)
    gap = size * sheet.between(0.03, 0.25)
    level = sheet.between(0.2, 0.9) if sheet.chance(0.6) else 1.0
    outlined = level > 0.8 or sheet.chance(0.5)
    type_size = size * sheet.between(0.3, 0.75)
    if sheet.chance(0.5):
        canvas.fill(0, 0, sheet.wide, sheet.tall, sheet.between(0.4, 1))
    shift = sheet.between(0, 0.5) * size
    for row, y in enumerate(sheet.levels(size + gap)):
        x = -sheet.between(0, 1) * size + row * shift
        while x < sheet.wide:
            wide = size * (sheet.spread(1.3, 4) if sheet.chance(0.1) else 1)
            if level < 1:
                canvas.fill(x, y, x + wide, y + size, level)
            if outlined:
                sheet.box(x, y, x + wide, y + size)
            what = sheet.pick(
                (
                    str(sheet.whole(0, 9)),
                    sheet.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ+-=/"),
                    sheet.pick("0123456789"),
                )
            )
            sheet.label(
                x + 0.2 * size, y + 0.15 * size, type_size, what if wide == size else None, 0.9 * wide
            )
            x += wide + gap


def texture(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Gravel, wood, cloth, grass: short strokes, blobs and grain everywhere, none of them writing."""
    sheet = Sheet(canvas, material, random, height)
    kind = sheet.whole(0, 2)
    if kind == 0:
        count = int(np.clip(sheet.tall * sheet.wide / height**2 * sheet.spread(0.3, 1.5), 10, 220))
        angle, unrest = sheet.between(0, np.pi), sheet.pick((0.1, 0.4, 2.0))
        pen = height * sheet.spread(0.03, 0.25)
        for _ in range(count):
            turn, length = angle + random.normal(0, unrest), height * sheet.spread(0.2, 1.2)
            start = random.uniform(0, 1, 2) * [sheet.wide, sheet.tall]
            bend = random.normal(0, 0.15, 2) * length
            way = np.array([np.cos(turn), np.sin(turn)]) * length
            path = np.stack([start, start + way / 2 + bend, start + way])
            canvas.polyline(Kind.WRITING, path, pen * sheet.between(0.6, 1.4), sheet.between(0.3, 1))
        return
    coarse = max(2, int(height * sheet.spread(0.08, 0.5)))
    shape = (
        max(2, sheet.tall // coarse),
        max(2, sheet.wide // (coarse * (sheet.whole(1, 6) if kind == 1 else 1))),
    )
    noise = random.normal(0, 1, shape).astype(np.float32)
    field = cv2.resize(noise, (sheet.wide, sheet.tall), interpolation=cv2.INTER_CUBIC)
    ink = np.clip((field - sheet.between(0.4, 1.2)) * 400, 0, 255).astype(np.uint8)
    canvas.paint(Kind.WRITING, ink, 0, 0, sheet.between(0.2, 0.9))


def symbols(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Letters of other alphabets and symbols, in rows; without data, letters and signs of a hand."""
    sheet = Sheet(canvas, material, random, height)
    sets = [images for images in material.symbols if len(images)]
    gap, dark = sheet.spread(0.05, 1.2), sheet.between(0.3, 1)
    thick = sheet.pick((0, 0, 1))
    for y in sheet.rows(height * sheet.spread(1.2, 2.5)):
        x = sheet.between(-1, 2) * height
        while x < sheet.wide and sheet.budget > 0:
            sheet.budget -= 1
            if sets and sheet.chance(0.85):
                images = sheet.pick(sets)
                x += _symbol(
                    sheet, images[sheet.whole(0, len(images) - 1)], Cell(x, y, x, y + height), dark, thick
                )
            elif sheet.chance(0.5):
                x += sheet.letter(x, y)
            else:
                x += sheet.sign(sheet.pick("+-=/()*<>%?!$#"), x, y)
            x += height * gap * sheet.between(0.5, 1.5)


def _symbol(sheet: Sheet, image: Gray, cell: Cell, dark: float, thick: int) -> float:
    """Paints one symbol, cropped to its ink, as high as the cell; gives its width."""
    x, y, wide, tall = cv2.boundingRect((image > 60).astype(np.uint8))
    if wide == 0 or tall == 0:
        return 0.0
    scale = cell.height / max(tall, 0.6 * wide)
    size = (max(2, round(wide * scale)), max(2, round(tall * scale)))
    ink = cv2.resize(image[y : y + tall, x : x + wide], size, interpolation=cv2.INTER_CUBIC)
    if thick:
        ink = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    sheet.canvas.paint(Kind.WRITING, ink.astype(np.uint8), cell.x0, cell.y0, dark)
    return float(size[0])
