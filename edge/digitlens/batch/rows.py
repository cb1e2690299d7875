"""What a page gives: its rows, one a number or field, and the page's own record; the two tables' columns."""

from typing import NamedTuple, Protocol

from digitlens.core.arrays import Pixels
from digitlens.core.readings import scaled

READ, PRINTED, FAILED = "read", "printed", "failed"
"""States of a row: a number, a printed number, a page or document that could not be read.

Rows of a form's fields have the states that its template's rules give.
"""


class Row(NamedTuple):
    """One number, or one field of a form.

    `field` is the field's name, None for a number found freely. `value` is the text as a number, None where
    it is none or has more digits than a float64 holds. The box is in pixels of the page's picture.
    """

    field: str | None
    text: str | None
    value: float | None
    confidence: float | None
    x: int | None
    y: int | None
    width: int | None
    height: int | None
    state: str
    reason: str | None


class Page(NamedTuple):
    """A page's record: `page` from 1, size of its picture (pixels), `bytes` of its document, what failed.

    `last` marks a document's last page: with it the document is done. `milliseconds` is what reading took,
    decoding included.
    """

    id: str
    source: str
    page: int
    last: bool
    numbers: int
    milliseconds: float
    width: int | None
    height: int | None
    bytes: int | None
    error: str | None


class PageResult(NamedTuple):
    """A page's record and its rows."""

    page: Page
    rows: list[Row]


class PageReader(Protocol):
    """Reads the pictures of pages."""

    @property
    def color(self) -> bool:
        """Whether it takes (H, W, 3) BGR, else (H, W) gray; uint8."""

    def __call__(self, image: Pixels) -> list[Row]:
        """A page's rows, boxes in pixels of `image`; an error's first line becomes the page's reason."""


class PageReaderOptions(Protocol):
    """What a page reader is made of, in each worker; it can be pickled."""

    def open(self) -> PageReader:
        """Load the models.

        Raises:
            DigitLensError: they cannot be loaded.
        """

    def fingerprint(self) -> dict[str, str]:
        """What decides the rows: the models' digests, the options, a template's digest."""


NUMBERS = {
    "id": "text", "source": "text", "page": "int", "field": "text", "text": "text", "value": "float",
    "confidence": "float", "x": "int", "y": "int", "width": "int", "height": "int", "state": "text",
    "reason": "text",
}  # fmt: skip
"""Columns of the table of numbers -> their types."""
PAGES = {
    "id": "text", "source": "text", "page": "int", "last": "bool", "numbers": "int", "milliseconds": "float",
    "width": "int", "height": "int", "bytes": "int", "error": "text",
}  # fmt: skip
"""Columns of the table of pages -> their types."""
TABLES = {"numbers": NUMBERS, "pages": PAGES}

Value = str | int | float | bool | None
Columns = dict[str, list[Value]]


def failed(reason: str) -> Row:
    """The row of a page that could not be read."""
    return Row(None, None, None, None, None, None, None, None, FAILED, reason)


def failure(
    id: str,  # noqa: A002  # the column's name
    source: str,
    reason: str,
    page: int = 1,
    last: bool = True,
) -> PageResult:
    """The result of a document, or of its page, that could not be read."""
    return PageResult(Page(id, source, page, last, 0, 0.0, None, None, None, reason), [failed(reason)])


def resized(row: Row, size: tuple[int, int], wanted: tuple[int, int]) -> Row:
    """The row of a picture of this size (width, height) in the same picture of the wanted size."""
    if size == wanted or row.x is None or row.y is None or row.width is None or row.height is None:
        return row
    x, y, width, height = scaled((row.x, row.y, row.width, row.height), size, wanted)
    return row._replace(x=x, y=y, width=width, height=height)


def columns(results: list[PageResult]) -> dict[str, Columns]:
    """The two tables of these results, column by column."""
    pages: Columns = {name: [] for name in PAGES}
    numbers: Columns = {name: [] for name in NUMBERS}
    for name, values in zip(PAGES, zip(*(result.page for result in results), strict=True), strict=False):
        pages[name] = list(values)
    rows = [
        (result.page.id, result.page.source, result.page.page, *row)
        for result in results
        for row in result.rows
    ]
    for name, values in zip(NUMBERS, zip(*rows, strict=True), strict=False):
        numbers[name] = list(values)
    return {"numbers": numbers, "pages": pages}
