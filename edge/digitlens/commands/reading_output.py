"""Where `digitlens read` writes: a table, JSON lines or CSV on stdout, and files whose names never meet."""

import csv
import sys
from pathlib import PurePosixPath

import msgspec

from digitlens.core.confidence import percent
from digitlens.core.paths import printable
from digitlens.core.readings import Reading

COLUMNS = ("source", "page", "time", "text", "confidence", "x", "y", "width", "height", "printed")
"""Of the CSV: a row a number, and one without text for a page without numbers."""
LONGEST_NAME = 200
"""Longest file name before its suffixes, in bytes; file systems take 255."""


class Names:
    """Names of files for what is read: each is given once, whichever sources are of one name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, source: str) -> str:
        """The last part of a path or address; with -2, -3 and so on if it was given before."""
        name = PurePosixPath(source.partition("://")[2].partition("?")[0] or source).name
        name = "stdin" if source == "-" else printable(name).replace("/", "?") or "picture"
        while len(name.encode()) > LONGEST_NAME:
            name = name[1:]
        return self.unique(name)

    def unique(self, name: str) -> str:
        """This name, or with -2, -3 and so on; of names that differ in case alone, too."""
        count, candidate = 1, name
        while candidate.casefold() in self._taken:
            count += 1
            candidate = f"{name}-{count}"
        self._taken.add(candidate.casefold())
        return candidate


class Table:
    """For people: the picture, then a line a number. Frames of a video that say the same are one entry."""

    def __init__(self) -> None:
        self._before: tuple[str, list[str]] | None = None

    def write(self, reading: Reading, is_video: bool, several: bool) -> None:
        """Print a reading; `several` if its document has more pages than one."""
        source = printable(reading.source)
        texts = [number.text for number in reading.numbers]
        before, self._before = self._before, (source, texts) if is_video else None
        if is_video and before == self._before:
            return
        place = f" at {reading.time:.2f} s" if is_video else f", page {reading.page}" if several else ""
        print(source + place)
        if not reading.numbers:
            print("    no numbers")
        for number in reading.numbers:
            x, y, _, _ = number.box
            mark = "   printed" if number.printed else ""
            print(f"    {number.text:<16} {percent(number.confidence):>5}   at {x}, {y}{mark}")


class JsonLines:
    """For programs: one JSON object a picture and line."""

    def write(self, reading: Reading, is_video: bool, several: bool) -> None:
        """Print a reading."""
        sys.stdout.buffer.write(msgspec.json.encode(reading.to_dict()) + b"\n")


class Csv:
    """For spreadsheets: a row a number."""

    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, reading: Reading, is_video: bool, several: bool) -> None:
        """Print a reading."""
        place = (reading.source, reading.page, f"{reading.time:g}")
        for number in reading.numbers:
            sure = f"{number.confidence:.4f}"
            self._writer.writerow((*place, number.text, sure, *number.box, int(number.printed)))
        if not reading.numbers:
            self._writer.writerow((*place, *[""] * (len(COLUMNS) - len(place))))
