"""Paper as most people fill it in, with room: marks, points, counts, slips, sums, single numbers."""

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.combs import comb_row
from digitlens_train.paper.grids import Grid, label_cell, rule, shade, steps
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import WIDTH, Cell, Sheet
from digitlens_train.paper.sums import chain, operator
from digitlens_train.paper.tables import header, outside


def loosened(sheet: Sheet, share: float) -> None:
    """Sets the digits of numbers as far apart as some people do, in this share of the pages."""
    if sheet.chance(share):
        sheet.hand.gap = sheet.between(0.15, 0.8)
        sheet.hand.space = sheet.height * (sheet.hand.gap + sheet.between(0.6, 1.2))


def mark_sheet(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A class's marks: names, one number or two a cell, a total and a letter at the end of some rows."""
    sheet = Sheet(canvas, material, random, height)
    loosened(sheet, 0.6)
    digits, two = sheet.pick((1, 2, 2, 2, 3)), sheet.chance(0.12)
    apart = sheet.gap(1.0, 2.0)
    longest = sheet.length("0" * digits)
    wide = longest + height * sheet.spread(0.3, 2) + two * (sheet.length("0" * max(2, digits)) + apart)
    area = sheet.frame(0.2)
    names = sheet.pick((0.0, 3.0, 5.0)) * height * sheet.between(0.8, 1.3)
    xs = steps(sheet, area.x0 + names, max(area.x1, area.x0 + names + wide), wide)
    grid = Grid(
        [area.x0, *xs] if names else xs, steps(sheet, area.y0, area.y1, height * sheet.spread(1.1, 2.4))
    )
    if sheet.chance(0.1):
        shade(sheet, grid)
    rule(sheet, grid)
    top, side = (sheet.pick(("none", "printed", "written", "numbered")) for _ in range(2))
    total, letters = sheet.chance(0.3), sheet.chance(0.35)
    size, full = height * sheet.spread(0.4, 0.9), sheet.pick((1.0, 1.0, 0.95, 0.7))
    align = sheet.pick(("left", "center", "center", "right"))
    for row, column in sheet.shuffled(grid.places()):
        cell = grid.cell(row, column)
        left = grid.columns - 1 - column
        if outside(sheet, cell):
            continue
        if row == 0 and top != "none":
            header(sheet, cell, top, size, column)
        elif column == 0 and names:
            header(sheet, cell, "printed" if side == "none" else side, size, row)
        elif letters and not left:
            sheet.letter(cell.x0 + 0.3 * cell.width, cell.y0 + 0.5 * (cell.height - height))
        elif not sheet.chance(full):
            _nothing(sheet, cell)
        elif two:
            _two(sheet, cell, digits, apart)
        else:
            last = total and left == int(letters) and cell.width > 3.2 * WIDTH * height
            sheet.put(sheet.digits(digits, 3 if last else digits), cell, align)


def _nothing(sheet: Sheet, cell: Cell) -> None:
    """A cell without a number: mostly left empty, else a dash, a letter or a tick."""
    kind, tall = sheet.random.random(), min(sheet.height, 0.8 * cell.height)
    x, y = cell.x0 + 0.5 * (cell.width - 0.5 * tall), cell.y0 + 0.5 * (cell.height - tall)
    if kind < 0.25:
        sheet.sign("-", x, y, tall)
    elif kind < 0.35:
        sheet.letter(x, y, tall)
    elif kind < 0.42:
        sheet.tick(x, y, 0.8 * tall)


def _two(sheet: Sheet, cell: Cell, digits: int, apart: float) -> None:
    """Two numbers side by side in a cell, this many pixels apart."""
    tall = sheet.fit(cell)
    y = cell.y0 + (cell.height - tall) * sheet.between(0.3, 0.7)
    # Two single digits in a cell are one number, however far apart they stand.
    first, second = sheet.digits(1, digits), sheet.digits(max(2, digits), max(2, digits))
    both = sheet.length(first, tall) + apart + sheet.length(second, tall)
    x = cell.x0 + max(0.1 * tall, (cell.width - both) * sheet.between(0.2, 0.6))
    x += sheet.write(first, x, y, height=tall) + apart * sheet.between(0.9, 1.1)
    if sheet.chance(0.9):
        sheet.write(second, x, y, height=tall, max_width=max(0.5 * tall, cell.x1 - x - 0.05 * tall))


def exam_marks(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """An examiner's table: printed questions and parts, a few points among many empty cells, the totals."""
    sheet = Sheet(canvas, material, random, height)
    loosened(sheet, 0.3)
    size, area = height * sheet.spread(0.4, 0.9), sheet.frame(0.25)
    wide, tall = height * sheet.spread(1.2, 4), height * sheet.spread(1.1, 2.2)
    most = max(2, int(area.width / wide)), max(2, int(area.height / tall))
    columns, rows = min(most[0], sheet.whole(2, 9)), min(most[1], sheet.whole(2, 12))
    across = sheet.chance(0.4)
    grid = Grid(
        steps(sheet, area.x0, area.x0 + columns * wide, wide),
        steps(sheet, area.y0, area.y0 + rows * tall, tall),
    )
    rule(sheet, grid, whole=True)
    full, dashed = sheet.spread(0.1, 0.9), sheet.chance(0.3)
    for row, column in grid.places():
        cell = grid.cell(row, column)
        last = (column if across else row) == (grid.columns if across else grid.rows) - 1
        if row == 0 or column == 0:
            label_cell(sheet, cell, size, str(max(row, column)) if max(row, column) else None)
        elif sheet.chance(0.85 if last else full):
            sheet.put(sheet.digits(1, 2), cell, sheet.pick(("center", "any")))
        elif dashed and sheet.chance(0.3):
            _nothing(sheet, cell)
    y = grid.box.y1 + 0.5 * height
    for _ in range(sheet.whole(0, 3)):
        x = area.x0 + sheet.label(area.x0, y + 0.2 * height, size, None, 0.5 * sheet.wide) + 0.5 * height
        x += sheet.write(sheet.text(1, 3), x, y) if sheet.chance(0.6) else sheet.word(x, y, 0.9 * height)
        y += height * sheet.spread(1.4, 3)


def counts(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A field sheet: a code or a word a row, dashes or nothing where nothing was counted, counts, sums."""
    sheet = Sheet(canvas, material, random, height)
    tall, wide = height * sheet.spread(1.05, 1.9), height * sheet.spread(0.9, 2.4)
    codes = height * sheet.between(2, 5)
    area = sheet.frame(0.15)
    grid = Grid(
        [area.x0, *steps(sheet, area.x0 + codes, area.x1, wide)], steps(sheet, area.y0, area.y1, tall)
    )
    if sheet.chance(0.15):
        sheet.canvas.fill(0, 0, sheet.wide, sheet.tall, sheet.between(0.6, 0.9))
    rule(sheet, grid, whole=sheet.chance(0.7))
    counted, dashes = sheet.spread(0.1, 0.7), sheet.chance(0.5)
    used = sheet.whole(1, grid.rows)
    for row in range(used):
        first = grid.cell(row, 0)
        if outside(sheet, first):
            continue
        x = first.x0 + 0.1 * height
        if sheet.chance(0.5):
            for _ in range(sheet.whole(1, 4)):
                if x < first.x1 - 0.7 * height:
                    x += sheet.letter(x, first.y0 + 0.5 * (tall - height)) + 0.1 * height
        else:
            sheet.word(x, first.y0 + 0.5 * (tall - height), 0.85 * height, 0.9 * codes)
        for column in range(1, grid.columns):
            cell = grid.cell(row, column)
            if column == grid.columns - 1 or sheet.chance(counted):
                sheet.put(sheet.digits(1, 2 if wide > 1.4 * height else 1), cell)
            elif dashes:
                sheet.sign("-", cell.x0 + 0.3 * cell.width, cell.y0 + 0.5 * (tall - height))


def slip(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A few printed labels with room for a number each: a comb, a box, a line or nothing."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.4, 0.9)
    x0, y = sheet.between(0.2, 4) * height, sheet.between(0.2, 0.5) * sheet.tall
    for _ in range(sheet.whole(1, 5)):
        x = x0 + sheet.label(x0, y + 0.3 * height, size, None, 6 * height) + 0.5 * height
        count, tall = sheet.whole(2, 10), height * sheet.spread(1.1, 1.8)
        place = sheet.pick(("comb", "comb", "box", "line", "none"))
        if place == "comb":
            comb_row(sheet, x, y, count, tall)
        else:
            text = sheet.text(1, count)
            wide = sheet.length(text) + height * sheet.spread(0.4, 4)
            if place == "box":
                sheet.box(x, y, x + wide, y + tall)
            elif place == "line":
                sheet.lines.line(canvas, (x, y + 1.1 * height), (x + wide, y + 1.1 * height))
            if sheet.chance(0.9):
                top = y + (0.5 * (tall - height) if place == "box" else 0)
                sheet.write(text, x + 0.15 * height, top, max_width=wide)
        y += tall + height * sheet.spread(0.4, 2)


def one_number(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """One number alone on its sheet, of any size; now and then what else lies on such a sheet, pale."""
    sheet = Sheet(canvas, material, random, height)
    count = sheet.pick((1, 1, 1, 2, 3, 4, 6))
    hand = sheet.writer()
    most = min(0.75 * sheet.tall, 0.85 * sheet.wide / sheet.length("0" * count, 1.0, hand))
    tall = sheet.spread(min(height, most), most)
    hand.pen *= tall / height
    wide = sheet.length("0" * count, tall, hand)
    x = sheet.between(0.05, 0.95) * max(0.0, sheet.wide - wide)
    y = sheet.between(0.05, 0.95) * max(0.0, sheet.tall - tall)
    if sheet.chance(0.15):
        for level in sheet.levels(tall * sheet.spread(0.15, 1.2)):
            sheet.lines.line(canvas, (0, level), (sheet.wide, level))
    elif sheet.chance(0.1):
        sheet.label(x, y - 1.6 * height, 0.5 * height)
    sheet.write(sheet.digits(count, count), x, y, hand, tall, sheet.wide - x)


def few_numbers(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Some numbers with much room, in rows and columns without lines, or strewn over blank or ruled paper."""
    sheet = Sheet(canvas, material, random, height)
    loosened(sheet, 0.1)
    digits, rows = sheet.pick((1, 1, 2, 3, 5)), sheet.whole(1, 5)
    pitch = height * sheet.spread(1.4, 4.5)
    step = sheet.length("0" * digits) + sheet.gap(0.8, 4)
    columns = max(1, min(sheet.whole(1, 8), int(sheet.wide / step)))
    loose = sheet.pick((0.02, 0.1, 0.35))
    left = sheet.between(0, 0.8) * max(0.0, sheet.wide - columns * step) + 0.2 * height
    y = sheet.between(0, 0.8) * max(0.0, sheet.tall - rows * pitch) + 0.2 * height
    if sheet.chance(0.25):
        for level in np.arange(y + 1.1 * height - 4 * pitch, sheet.tall, pitch):
            sheet.lines.line(canvas, (0, float(level)), (sheet.wide, float(level)))
    same = sheet.chance(0.15)
    for row in range(rows):
        for column in range(columns):
            if sheet.chance(0.06):
                continue
            x = left + column * step + random.normal(0, 0.3 * loose) * height
            text = str(row % 10) * digits if same else sheet.text(1, digits, 0.03)
            sheet.write(text, x, y + row * pitch + random.normal(0, loose) * height)


def one_sum(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A sum or an equation, or a few below each other, with much room around and between the signs."""
    sheet = Sheet(canvas, material, random, height)
    rows, pitch, gap = sheet.whole(1, 5), height * sheet.spread(1.6, 4), height * sheet.spread(0.15, 0.8)
    algebra, bracket = sheet.chance(0.5), sheet.chance(0.3)
    y = sheet.between(0, 0.9) * max(0.0, sheet.tall - rows * pitch) + 0.3 * height
    left = sheet.between(0, 0.3) * sheet.wide + 0.2 * height
    for _ in range(rows):
        x = left + random.normal(0, 0.3) * height
        if algebra:
            _polynomial(sheet, x, y, gap)
        else:
            if bracket and sheet.chance(0.7):
                x += sheet.sign("(", x, y) + 0.3 * gap
                x += sheet.write(sheet.digits(1, 2), x, y) + gap
                x += operator(sheet, x, y) + gap
                x += sheet.write(sheet.digits(1, 2), x, y) + 0.3 * gap
                x += sheet.sign(")", x, y) + gap
                x += operator(sheet, x, y) + gap
            chain(sheet, x, y, gap, 2)
        y += pitch


def _polynomial(sheet: Sheet, x: float, y: float, gap: float) -> None:
    """ax2 + bx - c = d, with one letter."""
    height, name = sheet.height, sheet.pick("xxxyanm")
    for power in range(sheet.whole(1, 3), -1, -1):
        if not power or sheet.chance(0.7):
            x += sheet.write(sheet.digits(1, 2), x, y) + 0.1 * height
        if power:
            x += sheet.letter(x, y + 0.3 * height, 0.7 * height, name) + 0.04 * height
            if power > 1:
                x += sheet.write(str(power), x, y - 0.1 * height, height=0.5 * height)
            x += gap
            x += sheet.sign(sheet.pick("+-"), x, y) + gap
    if sheet.chance(0.85):
        x += gap
        x += sheet.sign("=", x, y) + gap
        x += sheet.sign("-", x, y) + 0.1 * height if sheet.chance(0.15) else 0
        sheet.write(sheet.digits(1, 2), x, y)


def ledger(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Ruled paper with a margin: numbers and words, two a line, parted by a dash or by room, on one side."""
    sheet = Sheet(canvas, material, random, height)
    pitch = height * sheet.spread(1.1, 2.0)
    margin = sheet.between(0.02, 0.25) * sheet.wide
    levels = sheet.levels(pitch)
    sheet.segments([(0, y, sheet.wide, y) for y in levels])
    if sheet.chance(0.7):
        sheet.ruler().line(canvas, (margin, 0), (margin, sheet.tall))
    style = sheet.pick(("dash", "dash", "word", "number", "two"))
    first, second = sheet.whole(1, 4), sheet.whole(1, 5)
    column = margin + height * sheet.spread(5, 10)
    used = sheet.whole(2, 20)
    for y in levels[sheet.whole(0, 2) :][:used]:
        top = y - height * sheet.between(0.98, 1.08)
        x = margin + sheet.between(0.2, 0.8) * height
        if style == "word":
            sheet.word(x, top, 0.9 * height, 0.9 * (column - x))
            sheet.write(sheet.digits(1, second), column, top)
            continue
        x += sheet.write(sheet.digits(first, first), x, top)
        if style == "dash":
            x += 0.15 * height
            x += sheet.sign(sheet.pick("---="), x, top) + 0.15 * height
            sheet.write(sheet.digits(second, second), x, top)
        elif style == "two":
            sheet.write(sheet.digits(1, second), max(x + sheet.gap(0.6, 2), column), top)
