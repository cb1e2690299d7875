"""Readers on other people's paper: numbers found, false ones, empty pages; by kind and by source."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from digitlens import Classifier, Reader
from digitlens.core.errors import PictureError
from digitlens.images import pictures
from digitlens_convert.pages import LabelsError, labels_of
from digitlens_convert.stats import ratio_interval, wilson

CONFIDENT = 0.9
"""Least confidence of a false number that is counted as confident, a probability."""


class Truth(msgspec.Struct):
    """A picture's label: its handwritten numbers with their signs, its printed ones, the kind of paper."""

    numbers: list[str]
    printed: list[str] = []
    kind: str = ""


class Source(msgspec.Struct):
    """Where a picture is from."""

    repo: str = ""


class Said(NamedTuple):
    """A number or a line of text that was read; None where the reader has no confidence."""

    text: str
    confidence: float | None = None


Read = Callable[[Path], Sequence[Said]]


@dataclass(frozen=True)
class Page:
    """What was found on one picture.

    Attributes:
        numbers: handwritten ones, of which `missed` were not found.
        false: read, but neither written nor printed there.
        is_empty: nothing was read, though something is written.
        milliseconds: decoding included.
    """

    name: str
    kind: str
    source: str
    numbers: int
    missed: tuple[str, ...]
    false: tuple[Said, ...]
    is_empty: bool
    milliseconds: float = 0.0

    @property
    def found(self) -> int:
        """How many of the numbers were read."""
        return self.numbers - len(self.missed)

    @property
    def is_exact(self) -> bool:
        """Whether all numbers were found and none is false."""
        return not self.missed and not self.false


@dataclass(frozen=True)
class Score:
    """A reader's pages of one folder."""

    folder: str
    reader: str
    pages: list[Page]

    def groups(self) -> dict[str, dict[str, list[Page]]]:
        """The pages by `kind` and by `source`, in alphabetical order; where none is named, that is empty."""
        found: dict[str, dict[str, list[Page]]] = {}
        for by in ("kind", "source"):
            names = sorted({getattr(page, by) for page in self.pages})
            found[by] = {
                name: [page for page in self.pages if getattr(page, by) == name] for name in names if name
            }
        return found

    def mean_of_sources(self) -> float | None:
        """The share of numbers found, each source counting the same; None where no sources are named."""
        shares = [summary(pages)["found_share"] for pages in self.groups()["source"].values()]
        return fmean(shares) if shares else None


def numbers_in(text: str) -> list[str]:
    """The numbers of a text as digits: parted at all but digits, points and commas, which are left out."""
    parts = (re.sub("[.,]", "", part) for part in re.findall("[0-9.,]+", text))
    return [part for part in parts if part]


def compare(
    name: str, truth: Truth, said: Sequence[Said], source: str = "", milliseconds: float = 0.0
) -> Page:
    """Match what was read with the label as multisets; printed numbers are neither found nor false."""
    written = [number for text in truth.numbers for number in numbers_in(text)]
    missed = Counter(written)
    read = [Said(number, one.confidence) for one in said for number in numbers_in(one.text)]
    rest = [one for one in read if not _take(missed, one.text)]
    printed = Counter(number for text in truth.printed for number in numbers_in(text))
    false = tuple(one for one in rest if not _take(printed, one.text))
    is_empty = bool(written) and not read
    return Page(
        name, truth.kind, source, len(written), tuple(missed.elements()), false, is_empty, milliseconds
    )


def _take(left: Counter[str], number: str) -> bool:
    """Whether the number is among those left; if so it no longer is."""
    if not left[number]:
        return False
    left[number] -= 1
    return True


def score(folder: Path, name: str, read: Read) -> Score:
    """Read every labeled picture of a folder with the reader of this name.

    Raises:
        LabelsError: labels.json is missing, or not {file: {"numbers": [...], "printed": [...], "kind": ...}};
            sources.json is not {file: {"repo": ...}}; or a picture cannot be read.
    """
    table = labels_of(folder / "labels.json", Truth)
    path = folder / "sources.json"
    sources = labels_of(path, Source) if path.exists() else {}
    return Score(
        folder.name,
        name,
        [
            _page(folder / file, truth, sources.get(file, Source()).repo, read)
            for file, truth in table.items()
        ],
    )


def _page(path: Path, truth: Truth, source: str, read: Read) -> Page:
    started = perf_counter()
    try:
        said = read(path)
    except PictureError as error:
        raise LabelsError(f"a labeled picture cannot be read: {error}") from error
    return compare(path.name, truth, said, source, (perf_counter() - started) * 1000)


def handwritten(reading: dict[str, Any]) -> list[Said]:
    """The numbers of a JSON reading, without those marked as printed."""
    return [
        Said(number["text"], number["confidence"])
        for number in reading["numbers"]
        if not number.get("printed", False)
    ]


def read_with(reader: Reader, path: Path) -> list[Said]:
    """What the reader finds on a picture.

    Raises:
        PictureError: it cannot be read.
    """
    (picture,) = pictures.load(path)
    return handwritten(msgspec.to_builtins(reader.read(picture.pixels)))


def rapidocr() -> Read:
    """RapidOCR with its detector, one thread.

    Raises:
        DependencyError: it is not installed.
    """
    from digitlens_convert import page_peers

    engine = page_peers.rapidocr()

    def read(path: Path) -> list[Said]:
        (picture,) = pictures.load(path, color=True)
        return [Said(*line) for line in page_peers.lines(engine, picture.pixels)]

    return read


def run(folders: Sequence[Path], model: str, with_peers: bool = False, out: Path | None = None) -> None:
    """Score the reader, and RapidOCR with `with_peers`; print the tables, write the figures to `out`.

    Raises:
        LabelsError: see score.
        ModelError: the model is missing or does not match its card.
        DependencyError: RapidOCR is not installed.
    """
    readers: dict[str, Read] = {"digitlens": partial(read_with, Reader(Classifier.load(model)))}
    if with_peers:
        readers["RapidOCR"] = rapidocr()
    scores = [score(folder, name, read) for folder in folders for name, read in readers.items()]
    print(table(scores))
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(results(scores)), indent=1) + b"\n")


def summary(pages: Sequence[Page]) -> dict[str, Any]:
    """The figures of some pages, as fractions, with 95 % intervals.

    `found_interval` is Wilson's, as if numbers were independent; `over_pictures` and `precision_interval` are
    bootstrapped over pictures, None of fewer than two, since the numbers of one picture fare alike.
    """
    numbers, found = [page.numbers for page in pages], [page.found for page in pages]
    read = [page.found + len(page.false) for page in pages]
    false = [one for page in pages for one in page.false]
    empty, exact = sum(page.is_empty for page in pages), sum(page.is_exact for page in pages)
    several = len(pages) > 1
    return {
        "pictures": len(pages),
        "numbers": sum(numbers),
        "found": sum(found),
        "found_share": sum(found) / max(1, sum(numbers)),
        "found_interval": wilson(sum(found), sum(numbers)),
        "over_pictures": ratio_interval(found, numbers) if several else None,
        "false": len(false),
        "false_confident": sum((one.confidence or 0.0) >= CONFIDENT for one in false),
        "precision": sum(found) / sum(read) if sum(read) else None,
        "precision_interval": ratio_interval(found, read) if several else None,
        "empty": empty,
        "empty_interval": wilson(empty, len(pages)),
        "exact": exact,
        "exact_interval": wilson(exact, len(pages)),
        "milliseconds_median": median(page.milliseconds for page in pages),
    }


def results(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """All figures for the JSON file: of each folder and reader, by kind, by source, and of each picture."""
    return [
        {
            "folder": score.folder,
            "reader": score.reader,
            "all": summary(score.pages),
            "found_mean_of_sources": score.mean_of_sources(),
            **{
                by: {name: summary(pages) for name, pages in groups.items()}
                for by, groups in score.groups().items()
            },
            "pages": score.pages,
        }
        for score in scores
    ]


def table(scores: Sequence[Score]) -> str:
    """The figures as Markdown: the folders, then each folder by kind and by source, its readers together."""
    lines = [*_head("folder"), *(_row(score.folder, score.reader, score.pages) for score in scores)]
    for score in scores:
        mean = score.mean_of_sources()
        if mean is not None:
            count = len(score.groups()["source"])
            lines += ["", f"{score.folder}, {score.reader}: {mean:.1%} found in the mean of {count} sources."]
    for folder in dict.fromkeys(score.folder for score in scores):
        of_folder = [score for score in scores if score.folder == folder]
        for by in ("kind", "source"):
            names = list(of_folder[0].groups()[by])
            if names:
                lines += ["", *_head(f"{folder}, by {by}")]
            lines += [
                _row(name, score.reader, score.groups()[by][name]) for name in names for score in of_folder
            ]
    return "\n".join(lines)


def _head(what: str) -> list[str]:
    columns = ["pictures", "numbers", "found", "95 % interval", "over pictures", "precision", "95 % interval"]
    columns += ["false", f"of them with {CONFIDENT:.0%}", "empty", "95 % interval", "exact", "95 % interval"]
    columns += ["ms, median"]
    right = ["---" if "interval" in name or "over" in name else "---:" for name in columns]
    return [f"| {what} | reader | {' | '.join(columns)} |", f"|---|---|{'|'.join(right)}|"]


def _row(name: str, reader: str, pages: Sequence[Page]) -> str:
    row = summary(pages)
    count = row["pictures"]
    cells = [name, reader, count, row["numbers"], f"{row['found_share']:.1%}", between(row["found_interval"])]
    cells += [between(row["over_pictures"])]
    cells += ["" if row["precision"] is None else f"{row['precision']:.3f}"]
    cells += [between(row["precision_interval"]), row["false"], row["false_confident"]]
    for part in ("empty", "exact"):
        cells += [f"{row[part] / count:.1%}", between(row[f"{part}_interval"])]
    cells += [f"{row['milliseconds_median']:.1f}"]
    return f"| {' | '.join(map(str, cells))} |"


def between(interval: tuple[float, float] | None) -> str:
    """An interval as text, in percent; "" for None."""
    return "" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"
