"""Scores the reader on folders of labeled pages: digit error rate, pages read exactly, time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import msgspec
import numpy as np

from digitlens import Reader
from digitlens.core.alignment import align, edit_distance
from digitlens.core.errors import DigitLensError, PictureError
from digitlens.images import pictures
from digitlens_convert.stats import calibration_error, ratio_interval, wilson


class LabelsError(DigitLensError, ValueError):
    """A folder whose labels.json is missing or malformed."""


class Labeled(msgspec.Struct):
    """A label with further fields."""

    text: str


Label = str | list[str] | Labeled


@dataclass(frozen=True)
class Page:
    """A page's true and read digits, rows joined, and its milliseconds, decoding included.

    Attributes:
        confidences: of the digits read.
        stages: milliseconds of the reader's stages.
    """

    name: str
    truth: str
    read: str
    milliseconds: float
    confidences: tuple[float, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """The edit distance of the digits."""
        return edit_distance(self.truth, self.read)

    @property
    def right(self) -> list[bool]:
        """Which digits of `read` are right in the optimal alignment with the truth."""
        right = [False] * len(self.read)
        for at, other in align(self.truth, self.read):
            right[other] = self.truth[at] == self.read[other]
        return right


@dataclass(frozen=True)
class Score:
    """A folder's pages and their figures."""

    folder: str
    pages: list[Page]

    def summary(self) -> dict[str, object]:
        """The figures, as fractions and milliseconds, with 95 % intervals."""
        errors, digits = [page.errors for page in self.pages], [len(page.truth) for page in self.pages]
        exact = sum(page.errors == 0 for page in self.pages)
        times = [page.milliseconds for page in self.pages]
        right = [same for page in self.pages for same in page.right]
        confidences = [confidence for page in self.pages for confidence in page.confidences]
        return {
            "folder": self.folder,
            "pages": len(self.pages),
            "digits": sum(digits),
            "errors": sum(errors),
            "digit_error_rate": sum(errors) / max(1, sum(digits)),
            "digit_error_rate_interval": ratio_interval(errors, digits),
            # Peers have confidences of rows, not of digits.
            "calibration_error": calibration_error(np.array(confidences), np.array(right, bool))
            if confidences
            else None,
            "exact": exact,
            "exact_interval": wilson(exact, len(self.pages)),
            "milliseconds_median": median(times),
            "milliseconds_most": max(times),
            "milliseconds_stages": {
                name: median(page.stages[name] for page in self.pages) for name in self.pages[0].stages
            },
        }


def score(folder: Path, reader: Reader) -> Score:
    """Read every labeled page of `folder`.

    Raises:
        LabelsError: there is no labels.json, or not {file: text | [rows] | {"text": ...}}.
    """
    return Score(folder.name, [read_page(folder / name, truth, reader) for name, truth in labels(folder)])


def labels(folder: Path) -> Iterator[tuple[str, str]]:
    """The folder's file names with their digits, rows joined.

    Raises:
        LabelsError: see score.
    """
    table: dict[str, Label] = labels_of(folder / "labels.json", Label)
    for name, label in table.items():
        yield name, label.text if isinstance(label, Labeled) else "".join(label)


def labels_of(path: Path, label: Any) -> dict[str, Any]:
    """The pictures of a labels.json with their labels of this type.

    Raises:
        LabelsError: there is no such file, it is malformed, or it names no picture.
    """
    try:
        table: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, label])
    except FileNotFoundError as error:
        raise LabelsError(f"{path}: no such file; it maps pictures to their digits") from error
    except (OSError, msgspec.DecodeError) as error:
        raise LabelsError(f"{path}: {error}") from error
    if not table:
        raise LabelsError(f"{path}: names no picture")
    return table


def read_page(path: Path, truth: str, reader: Reader) -> Page:
    """Read one labeled page.

    Raises:
        LabelsError: the file cannot be read.
    """
    started = perf_counter()
    try:
        (picture,) = pictures.load(path)
        reading = reader.read(picture.pixels)
    except PictureError as error:
        raise LabelsError(f"a labeled picture cannot be read: {error}") from error
    digits = [digit for number in reading.numbers for digit in number.digits]
    text = "".join(str(digit.value) for digit in digits)
    spent = (perf_counter() - started) * 1000
    stages = {name: taken for name, taken in reading.milliseconds.items() if name != "total"}
    return Page(path.name, truth, text, spent, tuple(digit.confidence for digit in digits), stages)


def milliseconds(work: Callable[[], object], repeat: int) -> float:
    """The median time of one call."""
    times = []
    for _ in range(repeat):
        started = perf_counter()
        work()
        times.append((perf_counter() - started) * 1000)
    return median(times)
