"""Score cards, sudoku, calendars and tally sheets."""

import itertools

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.grids import Grid, fill_in, label_cell, rule, shade, steps
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import WIDTH, Cell, Sheet
from digitlens_train.paper.tables import outside


def scorecard(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A golf card: printed rows of holes and pars, names, handwritten scores, some ringed, and sums."""
    sheet = Sheet(canvas, material, random, height)
    tall, wide = height * sheet.spread(1.02, 1.9), height * sheet.spread(0.9, 2)
    names = height * sheet.spread(2.5, 5)
    area = sheet.frame(0.12)
    grid = Grid(
        [area.x0, *steps(sheet, area.x0 + names, area.x1, wide)], steps(sheet, area.y0, area.y1, tall)
    )
    if sheet.chance(0.5):
        shade(sheet, grid)
    rule(sheet, grid, whole=True)
    size = height * sheet.spread(0.4, 1)
    printed = sheet.whole(1, 3)
    ringed = sheet.pick((0.0, 0.1, 0.3))
    players = [sheet.hand, sheet.writer(0.2)]
    for row in range(grid.rows):
        kind = (
            "hole" if row == 0 else "par" if row < printed else sheet.pick(("score",) * 5 + ("par", "empty"))
        )
        hand = sheet.pick(players)
        for column in range(grid.columns):
            cell = grid.cell(row, column)
            if outside(sheet, cell) or kind == "empty":
                continue
            if kind == "hole":
                label_cell(sheet, cell, size, None if column == 0 else str(column))
            elif kind == "par":
                label_cell(
                    sheet,
                    cell,
                    size,
                    None if column == 0 else str(sheet.pick((3, 4, 5, sheet.whole(90, 560)))),
                )
            elif column == 0:
                sheet.word(cell.x0 + 0.1 * height, cell.y0 + 0.1 * height, 0.85 * height, 0.9 * cell.width)
            elif sheet.chance(0.9):
                last = column % 10 == 0 and wide > 1.2 * height
                text = (
                    str(sheet.whole(27, 60))
                    if last
                    else str(sheet.pick((2, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 9, 1)))
                )
                sheet.put(text, cell, hand=hand)
                if sheet.chance(ringed):
                    around(sheet, cell)


def around(sheet: Sheet, cell: Cell) -> None:
    """A ring or a square by hand around a cell's middle."""
    x, y = (cell.x0 + cell.x1) / 2, (cell.y0 + cell.y1) / 2
    radius = 0.5 * min(cell.width, cell.height) * sheet.between(0.85, 1.1)
    if sheet.chance(0.6):
        sheet.lines.ring(sheet.canvas, x, y, radius)
    else:
        sheet.box(x - radius, y - radius, x + radius, y + radius)


def results(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Points of several players round by round: names on top, columns of numbers, running sums, a bar."""
    sheet = Sheet(canvas, material, random, height)
    wide = height * sheet.spread(2, 4.5)
    left, top = sheet.between(-0.5, 1) * height, sheet.between(0, 1) * height
    pitch = height * sheet.spread(1.05, 1.7)
    xs = steps(sheet, left, sheet.wide, wide)
    for x in xs[1:-1]:
        sheet.lines.line(canvas, (x, top), (x, sheet.tall))
    level = top + 1.3 * height
    sheet.lines.line(canvas, (left, level), (sheet.wide, level))
    negative = sheet.chance(0.3)
    for start, end in itertools.pairwise(xs):
        if sheet.chance(0.5):
            sheet.word(start + 0.2 * height, top, 0.9 * height, end - start)
        else:
            sheet.letter(start + 0.5 * height, top)
        for y in np.arange(level + 0.2 * height, sheet.tall * sheet.between(0.5, 1.1), pitch):
            sign = "-" if negative and sheet.chance(0.3) else ""
            cell = Cell(start, float(y), end, float(y) + height)
            if sheet.chance(0.08):
                sheet.struck(sheet.digits(1, 3), start + 0.4 * height, float(y))
            else:
                sheet.put(sign + sheet.digits(1, 3), cell, "right")
            if sheet.chance(0.08):
                bar = float(y) + 1.1 * height
                sheet.stroke([(start + 0.2 * height, bar), (end - 0.2 * height, bar)])


def sudoku(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A sudoku, its givens printed or handwritten, small candidates in some corners."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(1.05, 2.2)
    left = sheet.between(-4, 2) * height if sheet.wide < 9 * size else sheet.between(0, sheet.wide - 9 * size)
    top = sheet.between(-4, 2) * height if sheet.tall < 9 * size else sheet.between(0, sheet.tall - 9 * size)
    grid = Grid([left + k * size for k in range(10)], [top + k * size for k in range(10)])
    box = grid.box
    thin = sheet.lines
    thick = sheet.ruler(float(np.clip(sheet.thickness() * sheet.between(1.5, 4), 1.5, 10)))
    for k in range(10):
        lines = thick if k % 3 == 0 else thin
        ends = [(grid.xs[k], box.y0, grid.xs[k], box.y1), (box.x0, grid.ys[k], box.x1, grid.ys[k])]
        sheet.segments(ends, lines)
    givens, filled = sheet.between(0.2, 0.5), sheet.between(0.1, 0.7)
    by_hand = sheet.chance(0.2)
    printed = size * sheet.between(0.45, 0.8)
    other = sheet.writer(0.2)
    for row, column in sheet.shuffled(grid.places()):
        cell = grid.cell(row, column)
        if outside(sheet, cell):
            continue
        text = str(sheet.whole(1, 9))
        if sheet.chance(givens):
            if by_hand:
                sheet.put(text, cell, hand=other)
            else:
                x = cell.x0 + 0.5 * (size - 0.6 * printed)
                sheet.label(x, cell.y0 + 0.5 * (size - printed), printed, text)
        elif sheet.chance(filled):
            sheet.put(text, cell)
        elif sheet.chance(0.1) and size > 20:
            for k in range(sheet.whole(1, 3)):
                tiny = size * sheet.between(0.25, 0.35)
                sheet.write(text, cell.x0 + 2 + k * tiny, cell.y0 + 2, height=tiny)


def calendar(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A month's sheet: printed days, handwritten times, numbers and words in some of its cells."""
    sheet = Sheet(canvas, material, random, height)
    wide, tall = height * sheet.spread(2.5, 5.5), height * sheet.spread(1.8, 4.5)
    area = sheet.frame(0.12)
    grid = Grid(steps(sheet, area.x0, area.x1, wide), steps(sheet, area.y0 + height, area.y1, tall))
    rule(sheet, grid)
    size = height * sheet.spread(0.35, 1.1)
    for column in range(grid.columns):
        sheet.label(grid.xs[column] + 0.3 * height, area.y0, 0.7 * height, None, wide)
    first, by_hand = sheet.whole(1, 20), sheet.chance(0.15)
    right = sheet.chance(0.3)
    for row, column in grid.places():
        cell = grid.cell(row, column)
        day = str((first + row * 7 + column - 1) % 31 + 1)
        if outside(sheet, cell):
            continue
        x = cell.x1 - 1.3 * size if right else cell.x0 + 0.15 * height
        if by_hand:
            sheet.write(day, x, cell.y0 + 0.1 * height, height=size)
        else:
            sheet.label(x, cell.y0 + 0.1 * height, size, day)
        rest = Cell(cell.x0, cell.y0 + size, cell.x1, cell.y1)
        if sheet.chance(0.4) and rest.height > 0.7 * height:
            if sheet.chance(0.3) and wide > 3 * height:
                sheet.put(f"{sheet.whole(7, 22)}:{sheet.pick(('00', '15', '30', '45'))}", rest, "left")
            else:
                fill_in(sheet, rest, longest=3, align="any")
        elif sheet.chance(0.1):
            sheet.stroke([(cell.x0, cell.y0), (cell.x1, cell.y1)])


def tally(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A tally sheet: words, groups of strokes, and their sums as numbers behind some."""
    sheet = Sheet(canvas, material, random, height)
    pitch = height * sheet.spread(1.15, 2.2)
    levels = sheet.levels(pitch)
    names, sums = height * sheet.spread(2, 4.5), sheet.wide - height * sheet.spread(1.5, 4)
    if sheet.chance(0.6):
        sheet.segments([(0, y, sheet.wide, y) for y in levels])
        for x in (names, sums):
            sheet.lines.line(canvas, (x, 0), (x, sheet.tall))
    printed = sheet.chance(0.3)
    numbered = sheet.chance(0.3)
    for row, y in enumerate(levels):
        top = y + 0.5 * (pitch - height)
        if numbered:
            sheet.write(str(row + 1), 0.2 * height, top)
        elif printed:
            sheet.label(0.2 * height, top, 0.8 * height, None, names)
        else:
            sheet.word(0.2 * height, top, 0.85 * height, names)
        x, left = names + 0.3 * height, sheet.pick((0, sheet.whole(3, 22)))
        while left > 0 and x < sums - 1.5 * height:
            count = min(5, left)
            x += sheet.hand.tally(canvas, x, top, height, count) + 0.4 * height
            left -= count
        if sheet.chance(0.7):
            sheet.put(sheet.digits(1, 2), Cell(sums, y, sums + 2 * WIDTH * height, y + pitch), "any")
