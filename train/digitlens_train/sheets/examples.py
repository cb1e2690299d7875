"""Cells of generated sheets as sheet read sees them, with what is written in them."""

from collections.abc import Callable, Iterator, Sequence
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
from digitlens.sheets import marks, template
from digitlens.sheets.aligned import Form
from digitlens.sheets.answers import Networks
from digitlens.sheets.cells import Cell
from digitlens.sheets.pages import Layout
from digitlens.sheets.probabilities import (
    NO_DIGIT,
    NOTHING,
    RIGHT,
    WRONG,
    look,
    networks_with,
)
from digitlens.sheets.reader import PageCells, cells_of
from digitlens_train.crops import OTHER
from digitlens_train.data import DataError
from digitlens_train.paper.hand import Source
from digitlens_train.paper.material import Material, Part
from digitlens_train.sheets import pictures
from digitlens_train.sheets.pictures import SheetPicture

Found = TypeVar("Found", "tuple[Examples, Examples]", "Crops")
Joined = TypeVar("Joined", "Examples", "Crops")


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
    """Cells with ink, or all that may be marked: features (N, F), answers (N,), the page of each (N,)."""

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
def _networks() -> Networks:
    """The worker's networks; crops for a new network for cells need none."""
    return networks_with(Classifier.load(_model))


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


def gather(
    draw: Draw, count: int, data: Path | None, model: str, processes: int
) -> tuple[Examples, Examples, int]:
    """Of so many sheets the cells with ink, the cells that may be marked, and how many were not aligned."""
    kept = _gathered(_examples, draw, count, data, model, processes)
    if not kept:
        raise DataError(f"none of {count} sheets could be aligned")
    cells, marked = zip(*kept, strict=True)
    return _joined(Examples, cells), _joined(Examples, marked), count - len(kept)


def gather_crops(draw: Draw, count: int, data: Path | None, processes: int) -> tuple[Crops, int]:
    """As `gather`: the cells' pictures, which no network has looked at."""
    kept = _gathered(_crops, draw, count, data, DEFAULT_MODEL, processes)
    return _joined(Crops, kept), count - len(kept)


def _gathered(
    one: Callable[[int], Found | None], draw: Draw, count: int, data: Path | None, model: str, processes: int
) -> list[Found]:
    with get_context("spawn").Pool(processes, prepare, (draw, data, model)) as pool:
        return [found for found in pool.imap(one, range(count), chunksize=4) if found is not None]


def _joined(kind: type[Joined], parts: Sequence[Joined]) -> Joined:
    """The arrays of all parts, one after the other."""
    names = [one.name for one in fields(kind)]
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _seen(index: int) -> tuple[SheetPicture, Layout, PageCells] | None:
    """A sheet, its layout, and the page as it is seen; None where it is not aligned."""
    drawn, chosen = picture(index)
    try:
        seen = cells_of(drawn.gray, chosen, DEFAULT)
    except SheetError:
        return None
    has_ink = any(not cell.is_empty for name in _combs(drawn, chosen.layout) for cell in seen.cells[name])
    return (drawn, chosen.layout, seen) if has_ink and aligned(drawn, chosen.layout, seen) else None


def _combs(drawn: SheetPicture, layout: Layout) -> list[str]:
    """The names of a sheet's combs."""
    fields = [placed.field for placed in layout.on_page(drawn.code.page)]
    return [field.name for field in fields if field.is_comb and not field.is_marked]


def _crops(index: int) -> Crops | None:
    if (found := _seen(index)) is None:
        return None
    drawn, layout, seen = found
    names = _combs(drawn, layout)
    each = list(_answered(drawn, names, [seen.cells[name] for name in names]))
    labels = [OTHER if struck or not text else int(text) for _, text, struck in each]
    heights = [cell.box[3] * seen.aligned.per_mm for cell, _, _ in each]
    return Crops(
        normalized([cell.ink for cell, _, _ in each]),
        np.array(labels, np.uint8),
        np.array(heights, np.float32),
        np.full(len(each), index),
    )


def _examples(index: int) -> tuple[Examples, Examples] | None:
    if (found := _seen(index)) is None:
        return None
    drawn, layout, seen = found
    names = _combs(drawn, layout)
    combs = [seen.cells[name] for name in names]
    looked = look(_networks(), combs, seen.aligned.per_mm, seen.plate, DEFAULT.cells)
    each = list(_answered(drawn, names, looked.combs))
    best = looked.digits.argmax(axis=1)
    answers = [
        NO_DIGIT if struck else NOTHING if not text else RIGHT if best[k] == int(text) else WRONG
        for k, (_, text, struck) in enumerate(each)
    ]
    cells = Examples(looked.features, np.array(answers, np.intp), np.full(len(each), index))
    return cells, _marks(index, drawn, layout, seen)


def _marks(index: int, drawn: SheetPicture, layout: Layout, seen: PageCells) -> Examples:
    """The cells that may be marked, but for those that are struck out, and whether they are."""
    features, answers = [np.zeros((0, len(marks.FEATURES)), np.float32)], list[bool]()
    for placed in layout.on_page(drawn.code.page):
        name = placed.field.name
        if not placed.field.is_marked or any(field == name for field, _ in drawn.strikes):
            continue
        features.append(marks.mark_features(seen.plate, placed.cells, DEFAULT.cells))
        answers += [bool(text) for text in drawn.written[name].cells]
    return Examples(np.concatenate(features), np.array(answers, np.intp), np.full(len(answers), index))


def _answered(
    drawn: SheetPicture, names: Sequence[str], combs: Sequence[Sequence[Cell]]
) -> Iterator[tuple[Cell, str, bool]]:
    """Each cell with ink, what is written in it, and whether it is struck out."""
    for name, comb in zip(names, combs, strict=True):
        for index, cell in enumerate(comb):
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
