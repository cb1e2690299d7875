"""Tables: of cells of all sizes, with and without frames, of marks, of accounts, of one column."""

import itertools

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.grids import Grid, fill_in, label_cell, ring, rule, several, shade, steps
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import WIDTH, Cell, Sheet


def table(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A table over the page, its cells 1.02 to 5 heights high, headers printed, written or absent."""
    sheet = Sheet(canvas, material, random, height)
    tall = height * (sheet.spread(1.02, 1.6) if sheet.chance(0.5) else sheet.spread(1.3, 5))
    digits = sheet.whole(1, 4)
    wide = height * (WIDTH * digits + sheet.spread(0.15, 2.5))
    area = sheet.frame(0.15)
    uneven = sheet.pick((0.0, 0.05, 0.4))
    grid = Grid(
        steps(sheet, area.x0, area.x1, wide, uneven), steps(sheet, area.y0, area.y1, tall, min(0.15, uneven))
    )
    fill_table(sheet, grid, digits)


def fill_table(sheet: Sheet, grid: Grid, digits: int) -> None:
    """Rules a grid and fills it: headers, numbers, empty cells, columns of one writer."""
    if sheet.chance(0.2):
        shade(sheet, grid)
    rule(sheet, grid)
    top, side = (sheet.pick(("none", "none", "printed", "written", "numbered")) for _ in range(2))
    full = sheet.pick((1.0, 0.95, 0.8, 0.5, 0.25))
    align = sheet.pick(("left", "center", "center", "right", "any"))
    size = sheet.height * sheet.spread(0.3, 1.2)
    other = sheet.writer(0.3) if sheet.chance(0.15) else sheet.hand
    second = sheet.whole(0, grid.columns)
    for row, column in sheet.shuffled(grid.places()):
        cell = grid.cell(row, column)
        if outside(sheet, cell):
            continue
        edge = top if row == 0 else side if column == 0 else "none"
        if edge != "none":
            header(sheet, cell, edge, size, row + column)
        elif sheet.chance(full):
            hand = other if column >= second else sheet.hand
            fill_in(sheet, cell, hand, digits, align)


def outside(sheet: Sheet, cell: Cell) -> bool:
    """Whether nothing of the cell is on the page."""
    return cell.x1 <= 0 or cell.y1 <= 0 or cell.x0 >= sheet.wide or cell.y0 >= sheet.tall


def header(sheet: Sheet, cell: Cell, kind: str, size: float, count: int) -> None:
    """A cell of a header: a printed word, a printed number (its count), or a handwritten word."""
    if kind == "printed":
        label_cell(sheet, cell, size)
    elif kind == "numbered":
        label_cell(sheet, cell, size, str(count))
    else:
        tall = min(sheet.height, 0.85 * cell.height)
        sheet.word(cell.x0 + 0.05 * cell.width, cell.y0 + 0.5 * (cell.height - tall), tall, 0.9 * cell.width)


def small_table(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A table smaller than the margins around it, titled or with notes beside it."""
    sheet = Sheet(canvas, material, random, height)
    rows, columns, digits = sheet.whole(1, 5), sheet.whole(1, 5), sheet.whole(1, 3)
    tall = height * sheet.spread(1.02, 2.5)
    wide = height * (WIDTH * digits + sheet.spread(0.1, 1.5))
    x = sheet.between(-0.2, 0.8) * max(0.0, sheet.wide - wide * columns) + 0.1 * height
    y = sheet.between(0, 1) * max(0.0, sheet.tall - tall * rows)
    grid = Grid(steps(sheet, x, x + columns * wide, wide), steps(sheet, y, y + rows * tall, tall))
    fill_table(sheet, grid, digits)
    box = grid.box
    if sheet.chance(0.3):
        sheet.label(box.x0, box.y0 - 1.5 * height, height * sheet.spread(0.4, 1.2), None, sheet.wide)
    elif sheet.chance(0.3):
        sheet.word(box.x0, box.y0 - 1.6 * height)
    if sheet.chance(0.3):
        sheet.write(sheet.text(1, 5), box.x0 + sheet.between(-1, 3) * height, box.y1 + height)
    if sheet.chance(0.2):
        sheet.write(sheet.text(1, 4), box.x1 + 0.5 * height, box.y0 + 0.2 * height)


def marks(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A class's marks: names, handwritten or printed, beside columns of short numbers and ticks."""
    sheet = Sheet(canvas, material, random, height)
    tall = height * sheet.spread(1.05, 2.2)
    names = height * sheet.spread(3, 6.5)
    wide = height * sheet.spread(1.0, 3)
    area = sheet.frame(0.1)
    numbered = sheet.chance(0.4)
    start = area.x0 + (1.3 * height if numbered else 0)
    xs = [area.x0] * numbered + [start] + steps(sheet, start + names, area.x1, wide)
    grid = Grid(xs, steps(sheet, area.y0, area.y1, tall))
    rule(sheet, grid)
    printed, size = sheet.chance(0.45), height * sheet.spread(0.45, 1.0)
    most = max(1, min(3, int(wide / (WIDTH * height))))
    full = sheet.pick((0.95, 0.8, 0.5))
    for row, column in sheet.shuffled(grid.places()):
        cell = grid.cell(row, column)
        if outside(sheet, cell):
            continue
        if numbered and column == 0:
            label_cell(sheet, cell, size, str(row))
        elif column == int(numbered) or row == 0:
            if printed:
                label_cell(sheet, cell, size)
            else:
                sheet.word(cell.x0 + 0.1 * height, cell.y0 + 0.1 * height, 0.85 * height, 0.92 * cell.width)
        elif sheet.chance(full):
            fill_in(sheet, cell, longest=most)


def accounts(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A book of accounts: date, words, amounts in columns aligned to the right, balances, a bar and sums."""
    sheet = Sheet(canvas, material, random, height)
    pitch = height * sheet.spread(1.0, 1.8)
    date = sheet.pick((0.0, 2.5, 4.5)) * height
    words = height * sheet.spread(3, 7)
    left = sheet.between(-2, 0.5) * height
    xs = [left + date, left + date + words]
    while xs[-1] < sheet.wide:
        xs.append(xs[-1] + height * sheet.spread(2.4, 4.5))
    levels = sheet.levels(pitch)
    if sheet.chance(0.85):
        sheet.segments([(0, y, sheet.wide, y) for y in levels])
    uprights = sheet.ruler()
    for x in xs:
        uprights.line(canvas, (x, 0), (x, sheet.tall))
        if sheet.chance(0.15):
            uprights.line(canvas, (x + 3, 0), (x + 3, sheet.tall))
    cents = sheet.pick((".", ",", ""))
    for row, y in enumerate(levels):
        top = y + max(0.0, pitch - height) * 0.6 + random.normal(0, 0.04) * height
        if date and sheet.chance(0.7):
            day = sheet.pick((sheet.digits(1, 2), f"{sheet.whole(1, 31)}/{sheet.whole(1, 12)}"))
            sheet.write(day, left, top, max_width=0.92 * date)
        if sheet.chance(0.85):
            sheet.word(xs[0] + 0.2 * height, top, 0.9 * height, xs[1] - xs[0])
        for start, end in itertools.pairwise(xs[1:]):
            if sheet.chance(0.4):
                continue
            text = sheet.digits(1, 4) + (cents + sheet.digits(2, 2) if cents and sheet.chance(0.7) else "")
            sheet.put(text, Cell(start, y, end, y + pitch), "right")
            if row and sheet.chance(0.06):
                sheet.ruler().line(canvas, (start, y), (end, y))


def one_column(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A table of one column, or several of them side by side, with numbers or something beside them."""
    sheet = Sheet(canvas, material, random, height)
    x = sheet.between(0, 3) * height
    while x < sheet.wide:
        digits = sheet.whole(1, 5)
        wide = height * (WIDTH * digits + sheet.spread(0.1, 3))
        tall = height * sheet.spread(1.02, 2.6)
        top = sheet.between(-1, 3) * height
        grid = Grid([x, x + wide], steps(sheet, top, sheet.tall * sheet.between(0.5, 1.1), tall))
        rule(sheet, grid, whole=True)
        beside = sheet.pick(("", "", "word", "printed", "number"))
        for row in range(grid.rows):
            cell = grid.cell(row, 0)
            if sheet.chance(0.9):
                fill_in(sheet, cell, longest=digits, align=sheet.pick(("center", "any")))
            if beside == "word":
                sheet.word(cell.x1 + 0.3 * height, cell.y0, 0.85 * height, 3 * height)
            elif beside == "number":
                sheet.write(sheet.digits(1, 3), cell.x1 + 0.3 * height, cell.y0 + 0.1 * height)
            elif beside == "printed":
                sheet.label(cell.x1 + 0.3 * height, cell.y0 + 0.2 * height, 0.7 * height, None, 3 * height)
        x += wide + height * sheet.spread(2, 8)
        if sheet.chance(0.3):
            break


def crowded(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Large cells with several numbers, rings, ticks, words and a printed number in the corner."""
    sheet = Sheet(canvas, material, random, height)
    wide, tall = height * sheet.spread(2.2, 6), height * sheet.spread(2.1, 5)
    area = sheet.frame(0.1)
    grid = Grid(steps(sheet, area.x0, area.x1, wide, 0.1), steps(sheet, area.y0, area.y1, tall, 0.1))
    rule(sheet, grid)
    corner = sheet.chance(0.4)
    for row, column in sheet.shuffled(grid.places()):
        cell = grid.cell(row, column)
        if outside(sheet, cell):
            continue
        if corner:
            size = height * sheet.between(0.3, 0.6)
            sheet.label(cell.x0 + 3, cell.y0 + 3, size, str(row * grid.columns + column + 1))
        kind = sheet.random.random()
        if kind < 0.4:
            several(sheet, cell.inner(0.05 * height), height * sheet.between(0.7, 1.0))
        elif kind < 0.6:
            x = cell.x0 + 0.1 * height
            while x < cell.x1 - height:
                y = cell.y0 + sheet.between(0.1, 0.9) * (cell.height - height)
                x += sheet.write(sheet.digits(1, 2), x, y, max_width=cell.x1 - x) + sheet.gap(0.5, 1)
        elif kind < 0.75:
            sheet.put(sheet.digits(1, 2), cell)
            ring(sheet, cell, height)
        elif kind < 0.9:
            fill_in(sheet, cell, longest=4, align="any")


def joined_rows(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A form-like table whose rows are cut into different numbers of cells, some of them merged or dark."""
    sheet = Sheet(canvas, material, random, height)
    area = sheet.frame(0.1)
    y, size = area.y0, height * sheet.spread(0.35, 0.8)
    while y < area.y1:
        tall = height * sheet.spread(1.05, 2.6)
        wide = height * sheet.spread(1.1, 6)
        grid = Grid(steps(sheet, area.x0, area.x1, wide, 0.3), [y, y + tall])
        if grid.xs[-1] > area.x1:
            grid.xs[-1] = max(area.x1, grid.xs[-2] + 4)
        if sheet.chance(0.1):
            sheet.canvas.fill(area.x0, y, area.x1, y + tall, sheet.between(0.55, 0.9))
        sheet.segments([(x, y, x, y + tall) for x in grid.xs])
        sheet.segments([(grid.xs[0], level, grid.xs[-1], level) for level in grid.ys])
        for column in range(grid.columns):
            cell = grid.cell(0, column)
            if sheet.chance(0.3):
                label_cell(sheet, cell, size)
            elif sheet.chance(0.7):
                fill_in(sheet, cell, longest=5, align="any")
        y += tall + (sheet.spread(0.1, 1) * height if sheet.chance(0.1) else 0)
