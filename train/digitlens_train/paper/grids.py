"""Grids of lines and the content of their cells, for tables, squared paper and boxes."""

from dataclasses import dataclass

import numpy as np

from digitlens_train.paper.hand import Hand
from digitlens_train.paper.lines import Lines
from digitlens_train.paper.sheet import WIDTH, Cell, Sheet


@dataclass
class Grid:
    """Lines at xs and ys (pixels, ascending) that bound the cells of a table."""

    xs: list[float]
    ys: list[float]

    @property
    def box(self) -> Cell:
        """The rectangle around all cells."""
        return Cell(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])

    def cell(self, row: int, column: int) -> Cell:
        """One cell."""
        return Cell(self.xs[column], self.ys[row], self.xs[column + 1], self.ys[row + 1])

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        """Columns of cells."""
        return len(self.xs) - 1

    def places(self) -> list[tuple[int, int]]:
        """Row and column of each cell."""
        return [(row, column) for row in range(self.rows) for column in range(self.columns)]


def steps(sheet: Sheet, start: float, end: float, size: float, uneven: float = 0.0) -> list[float]:
    """Positions from start to about end, `size` apart, each step scattered by the factor exp(uneven)."""
    count = int(np.clip(round((end - start) / size), 1, 90))
    widths = size * np.exp(sheet.random.uniform(-uneven, uneven, count))
    return [float(x) for x in start + np.concatenate([[0.0], np.cumsum(widths)])]


def rule(sheet: Sheet, grid: Grid, lines: Lines | None = None, whole: bool = False) -> None:
    """Draws a grid's lines: all (`whole`), or without its outer frame, its uprights or its levels.

    Outer frames are thicker at times, headers parted by a thicker or double line.
    """
    lines = lines or sheet.lines
    box, canvas = grid.box, sheet.canvas
    look = sheet.random.random()
    open_sides = not whole and look < 0.2
    uprights = whole or not 0.2 <= look < 0.28
    levels = whole or not 0.28 <= look < 0.34
    inside = slice(1, -1) if open_sides else slice(None)
    reach = sheet.between(-0.1, 0.3) * sheet.height if not whole and sheet.chance(0.15) else 0.0
    ends = [(box.x0 - reach, y, box.x1 + reach, y) for y in grid.ys[inside]] if levels else []
    if uprights:
        ends += [(x, box.y0 - reach, x, box.y1 + reach) for x in grid.xs[inside]]
    sheet.segments(ends, lines)
    if not open_sides and sheet.chance(0.3):
        thick = min(12.0, sheet.thickness() * sheet.spread(1.2, 3))
        sheet.box(*box, lines if thick < 1 else sheet.ruler(thick))
        if sheet.chance(0.2):
            lines.box(canvas, *box.inner(-max(2.5, thick) - sheet.between(1, 0.2 * sheet.height + 1)))
    if sheet.chance(0.2) and grid.rows > 1:
        y, off = grid.ys[1], sheet.between(1.5, 4)
        lines.line(canvas, (box.x0, y + off), (box.x1, y + off))


def fill_in(
    sheet: Sheet, cell: Cell, hand: Hand | None = None, longest: int = 3, align: str = "center"
) -> None:
    """What people write in a cell: mostly a number, else marks, words, several numbers."""
    tall = sheet.fit(cell, hand)
    most = max(1, min(longest, int(cell.width / (WIDTH * tall))))
    kind = sheet.random.random()
    roomy = cell.width > 2.2 * tall and cell.height > 2.1 * tall
    if kind < 0.8:
        text = sheet.digits(1, most)
        sheet.put(text, cell, align, hand, tall)
        if kind < 0.04:
            ring(sheet, cell, tall)
    elif kind < 0.86 and most >= 4:
        sheet.put(sheet.amount(), cell, align, hand, tall)
    elif kind < 0.89:
        if roomy:
            several(sheet, cell, tall, hand)
        else:
            sheet.put(sheet.digits(most, most), cell, align, hand, tall)
    elif kind < 0.92:
        x = cell.x0 + sheet.between(0.05, 0.5) * max(0.0, cell.width - tall)
        sheet.struck(sheet.digits(1, most), x, cell.y0 + 0.5 * (cell.height - tall), tall)
    elif kind < 0.95:
        size = 0.8 * min(tall, cell.width)
        sheet.tick(cell.x0 + 0.5 * (cell.width - size), cell.y0 + 0.5 * (cell.height - size), size)
    elif kind < 0.97:
        sheet.sign("-", cell.x0 + 0.5 * (cell.width - 0.5 * tall), cell.y0 + 0.5 * (cell.height - tall), tall)
    elif cell.width > 1.5 * tall:
        sheet.word(cell.x0 + 0.1 * tall, cell.y0 + 0.5 * (cell.height - tall), 0.8 * tall, 0.95 * cell.width)
    else:
        sheet.letter(cell.x0 + 0.2 * cell.width, cell.y0 + 0.5 * (cell.height - tall), tall)


def several(sheet: Sheet, cell: Cell, tall: float, hand: Hand | None = None) -> None:
    """Numbers one below the other in one cell."""
    count = int(min(4, cell.height // (1.05 * tall)))
    pitch = cell.height / max(1, count)
    for k in range(count):
        part = Cell(cell.x0, cell.y0 + k * pitch, cell.x1, cell.y0 + (k + 1) * pitch)
        most = max(1, min(4, int(cell.width / (WIDTH * tall))))
        sheet.put(sheet.digits(1, most), part, "any", hand, min(tall, 0.95 * pitch))


def ring(sheet: Sheet, cell: Cell, tall: float) -> None:
    """A ring around what stands in the middle of a cell."""
    x, y = (cell.x0 + cell.x1) / 2, (cell.y0 + cell.y1) / 2
    sheet.lines.ring(sheet.canvas, x, y, sheet.between(0.6, 0.9) * max(tall, min(cell.width, 1.4 * tall)))


def shade(sheet: Sheet, grid: Grid) -> None:
    """Shades rows, columns, a header or single cells of a grid."""
    box, level = grid.box, sheet.between(0.6, 0.95)
    kind = sheet.whole(0, 3)
    if kind == 0:
        sheet.canvas.fill(box.x0, box.y0, box.x1, grid.ys[1], level)
    elif kind == 1:
        for row in range(0, grid.rows, 2):
            sheet.canvas.fill(box.x0, grid.ys[row], box.x1, grid.ys[row + 1], level)
    elif kind == 2:
        column = sheet.whole(0, grid.columns - 1)
        sheet.canvas.fill(grid.xs[column], box.y0, grid.xs[column + 1], box.y1, level)
    else:
        for row, column in sheet.shuffled(grid.places())[:6]:
            sheet.canvas.fill(*grid.cell(row, column), level)


def label_cell(sheet: Sheet, cell: Cell, size: float, what: str | None = None) -> None:
    """Prints a word or number in a cell, `size` pixels high or as high as fits."""
    tall = min(size, 0.85 * cell.height)
    x = cell.x0 + sheet.between(0.04, 0.25) * cell.width
    y = cell.y0 + sheet.between(0.2, 0.8) * (cell.height - tall)
    sheet.label(x, y, tall, what, cell.x1 - x - 1)
