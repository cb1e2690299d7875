"""Forms: printed labels with frames and lines, dates, cheques, exam covers, bubbles, answers."""

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.combs import comb_row
from digitlens_train.paper.grids import Grid, fill_in, label_cell, rule, steps
from digitlens_train.paper.material import Material
from digitlens_train.paper.sheet import WIDTH, Cell, Sheet


def form(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Printed labels, beside or above frames, lines, dots or combs to write on; some stay empty."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.35, 1.1)
    above = sheet.chance(0.4)
    y = sheet.between(-0.5, 1) * height
    if sheet.chance(0.3):
        sheet.label(0.5 * height, y, size * 1.6, None, sheet.wide)
        y += 2.2 * size
    while y < sheet.tall:
        x = sheet.between(0, 0.5) * height
        while x < sheet.wide:
            x += field(sheet, x, y, size, above) + height * sheet.spread(0.3, 2)
        y += height * sheet.spread(1.3, 2.5) + (size if above else 0)


def field(sheet: Sheet, x: float, y: float, size: float, above: bool) -> float:
    """One field of a form with its label; gives its width."""
    height = sheet.height
    wide = height * sheet.spread(2, 9)
    start = x
    if above:
        sheet.label(x, y, size, None, wide)
        y += 1.2 * size
    else:
        x += sheet.label(x, y + 0.5 * (height - size), size, None, 6 * size) + 0.3 * size
    place = sheet.pick(("line", "line", "frame", "comb", "dots", "none"))
    tall = height * sheet.spread(1.02, 1.6)
    if place == "comb":
        return x - start + comb_row(sheet, x, y, sheet.whole(2, 8), tall)
    if place == "frame":
        sheet.box(x, y, x + wide, y + tall)
    elif place == "line":
        sheet.lines.line(sheet.canvas, (x, y + height), (x + wide, y + height))
    elif place == "dots":
        sheet.label(x, y + 0.5 * height, 0.6 * size, "." * int(np.clip(wide / (0.3 * size + 1), 3, 40)), wide)
    cell = Cell(x, y, x + wide, y + (tall if place == "frame" else height * 1.05))
    kind = sheet.random.random()
    if kind < 0.6:
        sheet.put(sheet.text(1, max(1, min(9, int(wide / (WIDTH * height)))), 0.2), cell, "left")
    elif kind < 0.8:
        sheet.word(x + 0.2 * height, y, 0.9 * height, wide)
    elif kind < 0.85:
        sheet.hand.scribble(sheet.canvas, x, y, wide, height)
    return x - start + wide


def exam_cover(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """An exam's cover: printed lines, boxes for a name and a number, a table of points per question."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.35, 0.9)
    y = sheet.between(-1, 1) * height
    sheet.label(sheet.between(0.2, 3) * height, y, size * sheet.spread(1, 2), None, sheet.wide)
    y += 2.5 * size
    for _ in range(sheet.whole(1, 3)):
        x = 0.3 * height + sheet.label(0.3 * height, y + 0.2 * height, size) + 0.4 * size
        if sheet.chance(0.5):
            comb_row(sheet, x, y, sheet.whole(4, 9), height * sheet.spread(1.05, 1.5))
        else:
            sheet.lines.line(canvas, (x, y + 1.1 * height), (x + 6 * height, y + 1.1 * height))
            if sheet.chance(0.5):
                sheet.word(x + 0.3 * height, y)
            else:
                sheet.write(sheet.digits(2, 8), x + 0.3 * height, y)
        y += height * sheet.spread(1.6, 2.4)
    wide, tall = height * sheet.spread(1.3, 3), height * sheet.spread(1.1, 2)
    left = sheet.between(0, 1.5) * height
    columns = max(2, int((sheet.wide - left) / wide) - sheet.whole(0, 2))
    rows = max(2, int((sheet.tall - y) / tall))
    while rows > 0:
        block = min(rows, sheet.pick((2, 3, rows)))
        grid = Grid(steps(sheet, left, left + columns * wide, wide), steps(sheet, y, y + block * tall, tall))
        points(sheet, grid, size)
        y = grid.box.y1 + height
        rows -= block + 1


def points(sheet: Sheet, grid: Grid, size: float) -> None:
    """A table of printed question numbers or points, and handwritten points below them."""
    rule(sheet, grid, whole=True)
    for row, column in grid.places():
        cell = grid.cell(row, column)
        if row == 0:
            label_cell(sheet, cell, size, str(column + 1) if column else None)
        elif row == 1 and grid.rows > 2:
            label_cell(sheet, cell, size, str(sheet.whole(1, 30)) if column else None)
        elif column == 0:
            label_cell(sheet, cell, size)
        elif sheet.chance(0.85):
            fill_in(sheet, cell, longest=2)


def bubbles(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Columns of bubbles with printed digits, some filled, and boxes with handwritten digits above them."""
    sheet = Sheet(canvas, material, random, height)
    wide = height * sheet.spread(1.05, 1.8)
    tall = height * sheet.spread(1.05, 1.5)
    pitch = min(wide, tall) * sheet.spread(0.55, 1.0)
    radius = 0.5 * min(pitch, wide) * sheet.between(0.65, 0.92)
    x = sheet.between(-0.5, 2) * height
    top = sheet.between(-0.3, 3) * height
    printed, dark = sheet.chance(0.75), sheet.between(0.3, 1)
    round_ones = sheet.chance(0.7)
    while x < sheet.wide:
        count = sheet.whole(2, 8)
        text = "".join(str(sheet.whole(0, 9)) for _ in range(count))
        comb_row(sheet, x, top, count, tall, wide, text if sheet.chance(0.8) else "")
        marked = sheet.chance(0.7)
        for k in range(count):
            middle = x + (k + 0.5) * wide
            if middle - radius > sheet.wide:
                break
            for digit in range(10):
                y = top + tall + (digit + 0.7) * pitch
                if y - radius > sheet.tall:
                    break
                if round_ones:
                    sheet.lines.ring(canvas, middle, y, radius)
                else:
                    sheet.box(middle - radius, y - 0.6 * radius, middle + radius, y + 0.6 * radius)
                if printed and radius > 4:
                    sheet.label(middle - 0.33 * radius, y - 0.6 * radius, 1.2 * radius, str(digit))
                if marked and text[k] == str(digit):
                    blot(sheet, middle, y, 0.8 * radius, dark)
        x += count * wide + height * sheet.spread(0.6, 4)


def blot(sheet: Sheet, x: float, y: float, radius: float, dark: float) -> None:
    """A bubble filled in by hand."""
    turns = np.linspace(0, 6 * np.pi, 20)
    reach = radius * np.linspace(0.15, 1, 20) * sheet.random.uniform(0.8, 1.05, 20)
    path = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], axis=1)
    sheet.canvas.polyline(Kind.WRITING, path, max(1.0, 0.4 * radius), dark)


def dates(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Dates: dd mm yyyy in boxes or over lines, slashes printed or written, with labels."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.35, 0.9)
    for y in sheet.rows(height * sheet.spread(1.7, 3.5)):
        x = sheet.between(-0.3, 2) * height
        while x < sheet.wide:
            if sheet.chance(0.5):
                x += sheet.label(x, y + 0.3 * height, size, None, 5 * height) + 0.4 * height
            tall = height * sheet.spread(1.05, 1.6)
            wide = height * sheet.spread(0.7, 1.3)
            parts = [f"{sheet.whole(1, 31):02d}", f"{sheet.whole(1, 12):02d}", str(sheet.whole(1930, 2035))]
            parts[2] = parts[2][2:] if sheet.chance(0.4) else parts[2]
            mark = sheet.pick(("/", "-", ".", ""))
            style = sheet.pick(("comb", "comb", "frames", "line", "free"))
            for k, part in enumerate(parts):
                if style == "comb":
                    x += comb_row(sheet, x, y, len(part), tall, wide, part)
                elif style == "frames":
                    end = x + len(part) * wide
                    sheet.box(x, y, end, y + tall)
                    sheet.put(part, Cell(x, y, end, y + tall))
                    x = end
                else:
                    wrote = sheet.write(part, x, y)
                    if style == "line":
                        sheet.lines.line(canvas, (x, y + 1.05 * height), (x + wrote, y + 1.05 * height))
                    x += wrote
                x += 0.1 * height
                if k < 2 and mark:
                    if style in ("comb", "frames"):
                        x += sheet.label(x, y + 0.1 * tall, 0.8 * tall, mark) + 0.1 * height
                    else:
                        x += sheet.sign(mark, x, y) + 0.1 * height
            x += height * sheet.spread(1, 6)


def cheque(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """A cheque or a slip: printed words and numbers, a framed amount, a date, lines, a signature."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.35, 0.9)
    if sheet.chance(0.4):
        sheet.canvas.fill(0, 0, sheet.wide, sheet.tall, sheet.between(0.75, 0.97))
    for y in sheet.rows(height * sheet.spread(1.6, 2.6)):
        x = sheet.between(0, 1) * height
        while x < sheet.wide:
            kind = sheet.random.random()
            wide = height * sheet.spread(2.5, 7)
            if kind < 0.25:
                wide = sheet.label(
                    x, y + 0.3 * height, size, sheet.digits(4, 12) if sheet.chance(0.4) else None
                )
            elif kind < 0.45:
                tall = height * sheet.spread(1.05, 1.6)
                sheet.box(x, y, x + wide, y + tall)
                text = sheet.pick(
                    (sheet.digits(2, 6), f"{sheet.digits(1, 4)}.{sheet.digits(2, 2)}", sheet.amount())
                )
                sheet.put(text, Cell(x, y, x + wide, y + tall), "left")
                if sheet.chance(0.3):
                    sheet.label(x - size, y + 0.2 * height, size, "$")
            else:
                sheet.lines.line(canvas, (x, y + 1.1 * height), (x + wide, y + 1.1 * height))
                if kind < 0.65:
                    sheet.write(sheet.amount(), x + 0.2 * height, y, max_width=wide)
                elif kind < 0.85:
                    sheet.word(x + 0.2 * height, y, None, wide)
                else:
                    sheet.hand.scribble(canvas, x, y - 0.2 * height, wide, 1.3 * height)
            x += wide + height * sheet.spread(0.4, 2)


def answers(canvas: Canvas, material: Material, random: np.random.Generator, height: float) -> None:
    """Multiple choice: printed questions, letters in rings or boxes, ticks, numbers beside them."""
    sheet = Sheet(canvas, material, random, height)
    size = height * sheet.spread(0.4, 0.9)
    radius = height * sheet.between(0.35, 0.6)
    boxes = sheet.chance(0.5)
    letters = sheet.chance(0.7)
    for number, y in enumerate(sheet.rows(height * sheet.spread(1.4, 2.4))):
        x = sheet.between(0, 0.4) * height
        if sheet.chance(0.8):
            x += sheet.label(x, y + 0.1 * height, size, f"{number + 1}.") + 0.4 * height
        if sheet.chance(0.3):
            x += sheet.label(x, y + 0.1 * height, size, None, 7 * height) + 0.4 * height
        for k in range(sheet.whole(2, 5)):
            middle, level = x + radius, y + 0.5 * height
            if boxes:
                sheet.box(middle - radius, level - radius, middle + radius, level + radius)
            else:
                sheet.lines.ring(canvas, middle, level, radius)
            if letters:
                sheet.label(middle - 0.35 * radius, level - 0.6 * radius, 1.2 * radius, "ABCDE"[k])
            if sheet.chance(0.25):
                sheet.tick(middle - 0.8 * radius, level - 0.8 * radius, 1.6 * radius)
            elif sheet.chance(0.05):
                blot(sheet, middle, level, radius, 0.8)
            x += 2 * radius + height * sheet.between(0.2, 0.8)
        if sheet.chance(0.5):
            sheet.write(sheet.text(1, 3), x + sheet.spread(0.2, 3) * height, y)
