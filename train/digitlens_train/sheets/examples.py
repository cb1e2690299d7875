"""Cells of generated sheets as sheet read sees them, with what is written in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.sheets import DEFAULT
from digitlens.core.arrays import Doubles, Floats, Gray
from digitlens.core.errors import SheetError
from digitlens.glyphs.normalize import normalized
from digitlens.models.classifier import DEFAULT as DEFAULT_MODEL
from digitlens.models.classifier import Classifier
from digitlens.sheets import template
from digitlens.sheets.aligned import Form
from digitlens.sheets.cells import Cell
from digitlens.sheets.pages import Layout
from digitlens.sheets.probabilities import (
    CELL_DIGITS,
    NO_DIGIT,
    NOTHING,
    RIGHT,
    WRONG,
    Classifiers,
    look,
)
from digitlens.sheets.reader import PageCells, cells_of
from digitlens_train.crops import OTHER
from digitlens_train.paper.hand import Source
from digitlens_train.paper.material import Material, Part
from digitlens_train.sheets import pictures
from digitlens_train.sheets.pictures import SheetPicture

Found = TypeVar("Found", "Examples", "Crops")


@dataclass(frozen=True)
class Draw:
    """How a set of sheets is drawn.

    Attributes:
        templates: files of the forms, taken in turn.
        part: of the hands.
        source: of their digits; None: any.
        digits: least and largest height of a digit, pixels.
        strikes: share of the cells that are struck out.
    """

    templates: tuple[Path, ...]
    part: Part
    source: Source | None
    seed: int
    digits: tuple[float, float]
    strikes: float


@dataclass(frozen=True)
class Examples:
    """Cells with ink: features (N, len(FEATURES)), answers (N,), the page of each (N,)."""

    features: Floats
    answers: npt.NDArray[np.intp]
    pages: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Crops:
    """Cells with ink as the digit networks get them: pictures (N, 28, 28) uint8 and what they show (N,).

    Attributes:
        labels: a digit, or OTHER where the cell holds none.
        heights: of the ink, pixels of the picture, (N,).
        pages: the page of each (N,).
    """

    pictures: Gray
    labels: npt.NDArray[np.uint8]
    heights: Floats
    pages: npt.NDArray[np.intp]


_draw: Draw
_material: Material
_forms: list[Form]
_model: str


def prepare(draw: Draw, data: Path | None, model: str) -> None:
    """Give a worker its forms and hands once; OpenCV's own threads would only compete."""
    global _draw, _material, _forms, _model
    cv2.setNumThreads(1)
    _draw, _material = draw, Material.load(data, draw.part)
    _forms = [Form(template.load(path)) for path in draw.templates]
    _model = model


@cache
def _classifiers() -> Classifiers:
    """The worker's digit networks; crops for a new network for cells need none."""
    return Classifier.load(_model), Classifier.load(CELL_DIGITS)


def form(index: int) -> Form:
    """The worker's form of this number."""
    return _forms[index]


def picture(index: int) -> tuple[SheetPicture, Form]:
    """The picture of this number of the worker's set, and its form."""
    random = np.random.default_rng((_draw.seed, index))
    chosen = form(index % len(_forms))
    drawn = pictures.draw(
        random, _material, chosen.template, _draw.source, _draw.strikes, serial=index + 1, digits=_draw.digits
    )
    return drawn, chosen


def gather(draw: Draw, count: int, data: Path | None, model: str, processes: int) -> tuple[Examples, int]:
    """The cells with ink of so many sheets, and how many of them could not be aligned."""
    kept = _gathered(_examples, draw, count, data, model, processes)
    return _joined(Examples, kept), count - len(kept)


def gather_crops(draw: Draw, count: int, data: Path | None, processes: int) -> tuple[Crops, int]:
    """As `gather`: the cells' pictures, which no network has looked at."""
    kept = _gathered(_crops, draw, count, data, DEFAULT_MODEL, processes)
    return _joined(Crops, kept), count - len(kept)


def _gathered(
    one: Callable[[int], Found | None], draw: Draw, count: int, data: Path | None, model: str, processes: int
) -> list[Found]:
    with get_context("spawn").Pool(processes, prepare, (draw, data, model)) as pool:
        return [found for found in pool.imap(one, range(count), chunksize=4) if found is not None]


def _joined(kind: type[Found], parts: list[Found]) -> Found:
    """The arrays of all parts, one after the other."""
    names = [one.name for one in fields(kind)]
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _seen(index: int) -> tuple[PageCells, list[tuple[Cell, str, bool]]] | None:
    """A sheet as it is seen, and its cells with ink; None where it is not aligned."""
    drawn, chosen = picture(index)
    try:
        seen = cells_of(drawn.gray, chosen, DEFAULT)
    except SheetError:
        return None
    each = list(_answered(drawn, chosen.layout, seen))
    return (seen, each) if each and aligned(drawn, chosen.layout, seen) else None


def _crops(index: int) -> Crops | None:
    if (found := _seen(index)) is None:
        return None
    seen, each = found
    labels = [OTHER if struck or not text else int(text) for _, text, struck in each]
    heights = [cell.box[3] * seen.aligned.per_mm for cell, _, _ in each]
    return Crops(
        normalized([cell.ink for cell, _, _ in each]),
        np.array(labels, np.uint8),
        np.array(heights, np.float32),
        np.full(len(each), index),
    )


def _examples(index: int) -> Examples | None:
    if (found := _seen(index)) is None:
        return None
    seen, each = found
    cells = [cell for cell, _, _ in each]
    looked = look(_classifiers(), cells, seen.aligned.per_mm, seen.plate, DEFAULT.cells)
    best = looked.digits.argmax(axis=1)
    answers = [
        NO_DIGIT if struck else NOTHING if not text else RIGHT if best[k] == int(text) else WRONG
        for k, (_, text, struck) in enumerate(each)
    ]
    return Examples(looked.features, np.array(answers, np.intp), np.full(len(each), index))


def _answered(drawn: SheetPicture, layout: Layout, seen: PageCells) -> Iterator[tuple[Cell, str, bool]]:
    """Each cell with ink, what is written in it, and whether it is struck out."""
    for placed in layout.on_page(drawn.code.page):
        if placed.field.is_marked:
            continue
        name = placed.field.name
        for index, cell in enumerate(seen.cells[name]):
            if not cell.is_empty:
                yield cell, drawn.written[name].cells[index], (name, index) in drawn.strikes


def aligned(drawn: SheetPicture, layout: Layout, seen: PageCells, most: float = 2.0) -> bool:
    """Whether no cell was looked for further than `most` mm from its place."""
    return float(offsets(drawn, layout, seen).max()) < most


def offsets(drawn: SheetPicture, layout: Layout, seen: PageCells) -> Doubles:
    """How far from its place the middle of each cell was looked for, mm."""
    boxes = np.array([cell for placed in layout.on_page(drawn.code.page) for cell in placed.cells])
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    away = seen.aligned.in_picture(middles) - drawn.in_picture(middles)
    return np.asarray(np.hypot(away[:, 0], away[:, 1]) / drawn.per_mm, np.float64)
