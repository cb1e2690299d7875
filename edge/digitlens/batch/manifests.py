"""Manifests: CSV with a column `path`, or JSON lines with "path"; an `id` beside it where there is one."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from digitlens.core.errors import first_line

SUFFIXES = (".csv", ".jsonl", ".ndjson")
LONGEST = 1 << 20
"""Longest line, in bytes."""
PATHS = ("path", "source", "url")
"""Names of the column that holds the path."""


class Entry(NamedTuple):
    """What a line names; `error` if it names nothing."""

    line: int
    path: str = ""
    id: str = ""
    error: str | None = None


def entries(file: BinaryIO, name: str) -> Iterator[Entry]:
    """Each line's entry, one in memory at a time."""
    rows = _table(file) if name.lower().endswith(".csv") else _objects(file)
    for line, row in rows:
        if isinstance(row, str):
            yield Entry(line, error=row)
            continue
        path = next((row[key] for key in PATHS if row.get(key) not in (None, "")), None)
        if not isinstance(path, str) or "\0" in path:
            yield Entry(line, error='no "path" in this line')
            continue
        own = row.get("id")
        yield Entry(line, path, "" if own is None else str(own))


def _lines(file: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """Number and text of each line; None for one that is too long."""
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST and not line.endswith(b"\n"):
            while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield number, None
            continue
        yield number, line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")


def _objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, object] | str]]:
    for number, text in _lines(file):
        if text is None:
            yield number, "this line is too long"
        elif text.strip():
            try:
                row = json.loads(text)
            except (ValueError, RecursionError) as error:
                yield number, f"not JSON: {first_line(error)}"
                continue
            yield number, row if isinstance(row, dict) else "not a JSON object"


def _table(file: BinaryIO) -> Iterator[tuple[int, dict[str, object] | str]]:
    line = 0

    def texts() -> Iterator[str]:
        nonlocal line
        for number, text in _lines(file):
            line = number
            yield text if text is not None else "\n"

    rows = csv.reader(texts())
    header = [cell.strip().lower() for cell in next(rows, [])]
    if not set(header) & set(PATHS):
        yield max(line, 1), 'no column "path" in the first line'
        return
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield line, first_line(error)
            continue
        if row is None:
            return
        if row:
            yield line, dict(zip(header, row, strict=False))


def joined(manifest: str, path: str) -> str:
    """A manifest's path, which is relative to the manifest, as one to open."""
    if "://" in path:
        return path
    if "://" in manifest:
        return f"{manifest.rpartition('/')[0]}/{path}"
    return str(Path(manifest).parent / path)
