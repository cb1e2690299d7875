"""A template -> its pages: where every comb, text and line stands; printing and reading both go by it."""

from digitlens.sheets.combs import (
    CAPTION_HEIGHT,
    COLUMN_GAP,
    LABEL,
    ROW_GAP,
    SMALL,
    captions,
    cell_width,
    column_width,
    comb_width,
    field_height,
    header_height,
    labels_width,
    row_height,
    table_width,
)
from digitlens.sheets.fields import Field, Table, Template
from digitlens.sheets.pages import (
    CODE,
    FIDUCIAL,
    FIDUCIAL_INSET,
    MARGIN,
    PAPERS,
    QUIET,
    Layout,
    LayoutProblem,
    Line,
    MmBox,
    PlacedField,
    Text,
    fiducials,
)
from digitlens.sheets.placed import placed
from digitlens.sheets.typesetting import text_width, wrapped

TITLE, HEADING = 17.0, 11.0
"""Sizes of the fonts of the title and of headings, points."""
HEADING_HEIGHT = 7.0
"""Height that a heading takes up, millimeters."""
GAP_ACROSS, GAP_DOWN = 8.0, 4.0
"""Gaps between fields beside and above each other, millimeters."""
MAX_PAGES = 20


def lay_out(template: Template) -> Layout:
    """The pages of a template.

    Raises:
        LayoutProblem: a block does not fit on the page, or lies over another.
    """
    if template.blank_mm is not None:
        return placed(template, template.blank_mm)
    return _Pages(template).layout()


class _Pages:
    """The pages while they are filled: blocks flow from left to right, and down."""

    def __init__(self, template: Template) -> None:
        width, height = PAPERS[template.paper]
        self.template = template
        self.paper = (height, width) if template.landscape else (width, height)
        self.code = (self.paper[0] - MARGIN - CODE, MARGIN, CODE, CODE)
        self.page = 0
        self.last_page = 0
        self.fields: dict[str, PlacedField] = {}
        self.texts: list[Text] = []
        self.lines: list[Line] = []
        self.y = self.x = MARGIN
        self.row_height = 0.0
        self.row: list[tuple[Field, float]] = []

    def layout(self) -> Layout:
        self._next_page()
        for block in self.template.blocks:
            if block.at is not None:
                continue
            if isinstance(block, Table):
                self._end_row()
                self._flow_table(block)
            else:
                self._flow_field(block)
        self._end_row()
        for block in self.template.blocks:
            if block.at is not None:
                self._place(block, block.at)
        self._check_overlaps()
        self._footers()
        return Layout(
            self.paper, self.last_page, {name: self.fields[name] for name in self.template.fields},
            fiducials(self.paper), self.code, tuple(self.texts), tuple(self.lines),
        )  # fmt: skip

    def _next_page(self) -> None:
        self._header(self.page + 1)
        self.page += 1
        self.last_page = self.page
        self.x = MARGIN

    def _header(self, page: int) -> None:
        """The title; on the first page the note below it. Leaves self.y below them."""
        width = self.code[0] - QUIET - MARGIN
        self.y = MARGIN + 6.0
        self.texts.append(Text(page, MARGIN, self.y, self.template.title, TITLE, width, is_bold=True))
        self.y += 1.0
        for line in wrapped(self.template.note, LABEL, width) if page == 1 else ():
            self.y += 4.4
            self.texts.append(Text(page, MARGIN, self.y, line, LABEL, width, is_pale=True))
        self.y += 5.0

    def _right(self, y: float) -> float:
        """Where the room for a block that begins at this height ends: before the code, or the margin."""
        below_code = y >= self.code[1] + self.code[3] + QUIET
        return self.paper[0] - MARGIN if below_code else self.code[0] - QUIET

    def _bottom(self) -> float:
        return self.paper[1] - MARGIN

    def _heading(self, text: str) -> None:
        self.y += HEADING_HEIGHT
        width = self._right(self.y - HEADING_HEIGHT) - MARGIN
        self.texts.append(Text(self.page, MARGIN, self.y - 2.4, text, HEADING, width, is_bold=True))

    def _flow_field(self, field: Field) -> None:
        room = self._right(self.paper[1]) - MARGIN
        width = max(comb_width(field), min(text_width(field.label, LABEL) * 1.06, room))
        if field.heading:
            self._end_row()
        height = field_height(field) + (HEADING_HEIGHT if field.heading else 0)
        if self.row and self.x + width > self._right(self.y):
            self._end_row()
        if MARGIN + width > self._right(self.y):  # too wide to stand beside the code
            self.y = max(self.y, self.code[1] + self.code[3] + QUIET)
        if MARGIN + width > self._right(self.y):
            raise LayoutProblem(
                field, "cells", f"is {width:.0f} mm wide, and the page has {self._right(self.y) - MARGIN:.0f}"
            )
        if not self.row and self.y + height > self._bottom():
            self._turn_over(field)
        if field.heading:
            self._heading(field.heading)
        self.row.append((field, self.x))
        self.row_height = max(self.row_height, field_height(field))
        if self.y + self.row_height > self._bottom():
            self.row.pop()
            self.row_height = max((field_height(one) for one, _ in self.row), default=0.0)
            self._end_row()
            self._turn_over(field)
            self.row.append((field, self.x))
            self.row_height = field_height(field)
        self.x += width + GAP_ACROSS

    def _turn_over(self, block: Field | Table) -> None:
        if self.page == MAX_PAGES:
            raise LayoutProblem(block, "name", f"does not fit on {MAX_PAGES} pages")
        self._next_page()

    def _end_row(self) -> None:
        """Place the fields of the row, their combs on one line."""
        bottom = self.y + self.row_height
        for field, x in self.row:
            self._put(field, self.page, x, bottom - field.cell_mm[1])
        if self.row:
            self.y = bottom + GAP_DOWN
        self.row, self.row_height, self.x = [], 0.0, MARGIN

    def _put(self, field: Field, page: int, x: float, y: float) -> None:
        """A field with its comb's top left corner there, its captions and its label above it."""
        step = cell_width(field)
        width, height = step * field.cells, field.cell_mm[1]
        self._captions(field, page, x, y)
        top = y - (CAPTION_HEIGHT if captions(field) else 0)
        if field.label:
            room = max(width, self.paper[0] - MARGIN - x)
            self.texts.append(Text(page, x, top - 1.5, field.label, LABEL, room))
        self.fields[field.name] = PlacedField(field, page, _rounded(x, y, width, height))

    def _captions(self, field: Field, page: int, x: float, y: float) -> None:
        step = cell_width(field)
        for index, caption in enumerate(captions(field)):
            self.texts.append(
                Text(
                    page, x + (index + 0.5) * step, y - 0.9, caption, SMALL, step - 0.5, "center",
                    is_pale=field.kind != "choice",
                )
            )  # fmt: skip

    def _flow_table(self, table: Table) -> None:
        width = table_width(table)
        room = self.paper[0] - 2 * MARGIN
        if width > room + 0.01:
            raise LayoutProblem(
                table, "column", f"its columns are {width:.0f} mm wide, and the page has {room:.0f}"
            )
        if MARGIN + width > self._right(self.y):
            self.y = max(self.y, self.code[1] + self.code[3] + QUIET)
        row = 0
        while row < len(table.rows):
            heading = HEADING_HEIGHT if table.label else 0.0
            step = row_height(table) + ROW_GAP
            free = self._bottom() - self.y - heading - header_height(table) + ROW_GAP
            count = min(int(free / step + 1e-9), len(table.rows) - row)
            if count < 1 or (count < 3 and len(table.rows) - row > count and self.y > self.paper[1] / 2):
                self._turn_over(table)
                self.y = max(self.y, self.code[1] + self.code[3] + QUIET)
                continue
            if table.label:
                self._heading(table.label)
            self._rows(table, range(row, row + count), self.page, MARGIN, self.y)
            self.y += header_height(table) + count * step - ROW_GAP + GAP_DOWN
            row += count

    def _rows(self, table: Table, rows: range, page: int, x: float, y: float) -> None:
        """Some rows of a table below its header, whose top left corner is there."""
        header = header_height(table)
        line = y + header - 1.2
        bottom = line - (CAPTION_HEIGHT if any(captions(column) for column in table.columns) else 0)
        labels = labels_width(table)
        self.texts.append(Text(page, x, bottom - 1.2, table.row_label, LABEL, labels, is_bold=True))
        left = x + labels + COLUMN_GAP
        height = row_height(table)
        for column in table.columns:
            room = column_width(column)
            self.texts.append(Text(page, left, bottom - 1.2, column.label, LABEL, room, is_bold=True))
            self._captions(column, page, left, line + 0.5)
            left += room + COLUMN_GAP
        self.lines.append(Line(page, x, line, left - COLUMN_GAP - x))
        names = self.template.fields
        for index, row in enumerate(rows):
            top = y + header + index * (height + ROW_GAP)
            label = table.rows[row] or str(row + 1)
            self.texts.append(
                Text(page, x, top + height / 2 + 1.2, label, LABEL, labels, is_pale=not table.rows[row])
            )
            left = x + labels + COLUMN_GAP
            for column in table.columns:
                field = names[f"{table.name}.{row + 1}.{column.name}"]
                box = _rounded(
                    left, top + (height - field.cell_mm[1]) / 2, comb_width(field), field.cell_mm[1]
                )
                self.fields[field.name] = PlacedField(field, page, box)
                left += column_width(column) + COLUMN_GAP

    def _place(self, block: Field | Table, at: tuple[float, float]) -> None:
        """A block that is placed by hand."""
        while self.last_page < block.page:
            self.last_page += 1
            self._header(self.last_page)
        x, y = at
        if isinstance(block, Table):
            width = table_width(block)
            height = header_height(block) + len(block.rows) * (row_height(block) + ROW_GAP) - ROW_GAP
            self._check_on_paper(block, (x, y, width, height))
            self._rows(block, range(len(block.rows)), block.page, x, y)
        else:
            self._check_on_paper(block, (x, y, comb_width(block), block.cell_mm[1]))
            if block.heading:
                raise LayoutProblem(block, "heading", "belongs to fields that are not placed by at")
            self._put(block, block.page, x, y)

    def _check_on_paper(self, block: Field | Table, box: MmBox) -> None:
        left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
        edge = FIDUCIAL_INSET + FIDUCIAL / 2
        width, height = self.paper
        if left < edge or top < edge or right > width - edge or bottom > height - edge:
            raise LayoutProblem(
                block, "at",
                f"lies off the page: it takes {left:g} to {right:g} mm across, {top:g} to {bottom:g} down; "
                f"there is room from {edge:g} to {width - edge:g} and {edge:g} to {height - edge:g}",
            )  # fmt: skip

    def _check_overlaps(self) -> None:
        x, y, width, height = self.code
        kept = (x - QUIET, y - QUIET, width + 2 * QUIET, height + 2 * QUIET)
        blocks = {block.name: block for block in self.template.blocks}
        placed = list(self.fields.values())
        by_hand = [one for one in placed if blocks[_block_name(one)].at is not None]
        for one in by_hand:
            block = blocks[_block_name(one)]
            if _overlap(one.box, kept):
                raise LayoutProblem(block, "at", "lies over the code in the top right corner")
            for other in placed:
                if other is not one and other.page == one.page and _overlap(one.box, other.box):
                    raise LayoutProblem(block, "at", f"{one.field.name} lies over {other.field.name}")

    def _footers(self) -> None:
        y = self.paper[1] - FIDUCIAL_INSET + 1
        width = self.paper[0] / 2 - MARGIN - FIDUCIAL
        for page in range(1, self.last_page + 1):
            text = f"{self.template.name} {self.template.version}"
            self.texts.append(Text(page, MARGIN, y, text, SMALL, width, is_pale=True))
            if self.last_page > 1:
                count, right = f"page {page} of {self.last_page}", self.paper[0] - MARGIN
                self.texts.append(Text(page, right, y, count, SMALL, width, "right", is_pale=True))


def _block_name(placed: PlacedField) -> str:
    return placed.field.table or placed.field.name


def _overlap(box: MmBox, other: MmBox) -> bool:
    return (
        box[0] < other[0] + other[2] - 0.01
        and other[0] < box[0] + box[2] - 0.01
        and box[1] < other[1] + other[3] - 0.01
        and other[1] < box[1] + box[3] - 0.01
    )


def _rounded(x: float, y: float, width: float, height: float) -> MmBox:
    return round(x, 3), round(y, 3), round(width, 3), round(height, 3)
