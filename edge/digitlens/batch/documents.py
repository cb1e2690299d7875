"""One document -> the results of its pages, one after the other."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from digitlens.batch.item import Item
from digitlens.batch.rows import FAILED, Page, PageReader, PageResult, Row, failed, failure, resized
from digitlens.core.errors import first_line, reason
from digitlens.images.documents import DocumentPage, pages

FETCH, DECODE, READ = 0, 1, 2
"""Phases of a page: its document is fetched, its picture decoded, its numbers read."""
DOING = ("fetching", "decoding", "reading")


class Fault(NamedTuple):
    """Why a page is not tried again: what was being done with it, and what came of it."""

    phase: int
    reason: str


NO_FAULTS: Mapping[int, Fault] = {}

Progress = Callable[[int, int], None]
"""Handed a page's number and FETCH, DECODE or READ before it is done."""


def _unwatched(page: int, phase: int) -> None:
    """Nobody watches."""


def read_document(
    item: Item,
    reader: PageReader,
    begin: int = 1,
    faults: Mapping[int, Fault] = NO_FAULTS,
    progress: Progress = _unwatched,
) -> Iterator[PageResult]:
    """Each page's result from page `begin` on; what fails is a result with its reason.

    A result comes once it is known whether its page is the document's last. A page with a fault is not read,
    and where decoding it was at fault, none after it.
    """
    held: PageResult | None = None
    number = begin - 1
    try:
        if begin in faults and faults[begin].phase != READ:
            yield failure(item.id, item.source, faults[begin].reason, begin)
            return
        progress(begin, FETCH)
        content = item.document()
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        progress(begin, DECODE)
        started = perf_counter()
        for found in pages(content, item.source, color=reader.color):
            number = found.page
            if number >= begin:
                if held is not None:
                    yield held
                if number in faults:
                    held = failure(item.id, item.source, faults[number].reason, number, last=False)
                else:
                    progress(number, READ)
                    held = _result(item, found, reader, started, size)
                after = faults.get(number + 1)
                if after is not None and after.phase != READ:
                    yield held
                    yield failure(item.id, item.source, after.reason, number + 1)
                    return
            progress(max(number + 1, begin), DECODE)
            started = perf_counter()
    except Exception as error:  # sources and decoders raise many kinds of errors on broken files
        if held is not None:
            yield held
        held = failure(item.id, item.source, without_name(reason(error), item.source), max(number + 1, begin))
    if held is None:
        held = failure(item.id, item.source, "it has no pages", max(number + 1, begin))
    yield PageResult(held.page._replace(last=True), held.rows)


def without_name(message: str, source: str) -> str:
    """A message without the name that it begins with; the table has it in another column."""
    return message.removeprefix(f"{source}: ")


def _result(item: Item, found: DocumentPage, reader: PageReader, started: float, size: int) -> PageResult:
    """One page, decoded since `started` (seconds), of a document of `size` bytes."""
    rows: list[Row] = []
    error = found.error
    width, height = found.size
    if found.image is not None:
        actual = found.image.shape[1], found.image.shape[0]
        width, height = found.size if all(found.size) else actual
        try:
            rows = [resized(row, actual, (width, height)) for row in reader(found.image)]
        except Exception as problem:  # one page must not end a run of millions
            error = without_name(first_line(problem), item.source)
    elif error is None:
        error = "it has no picture"
    if error is not None:
        rows = [failed(error)]
    count = sum(row.state != FAILED for row in rows)
    milliseconds = (perf_counter() - started) * 1000
    return PageResult(
        Page(
            item.id, item.source, found.page, False, count, round(milliseconds, 3),
            width or None, height or None, size, error,
        ),
        rows,
    )  # fmt: skip
