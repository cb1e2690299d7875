"""Reading generated sheets of held-out hands: what is sure, what is wrong, what each kind of rule brings."""

from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np

from digitlens.core.errors import SheetError
from digitlens.models.classifier import Classifier
from digitlens.sheets.aligned import Form
from digitlens.sheets.decisions import FieldDecision, State
from digitlens.sheets.reader import SheetReader
from digitlens.sheets.rules import ALL, decide
from digitlens.sheets.written import Known
from digitlens_convert.stats import ratio_interval
from digitlens_train.paper.hand import Source
from digitlens_train.sheets import examples
from digitlens_train.sheets.examples import Draw
from digitlens_train.sheets.pictures import SheetPicture

KINDS: tuple[Known, ...] = ("count", "range", "check", "list", "sum")
USES: dict[str, frozenset[Known]] = {
    "all rules": ALL,
    "no rules": frozenset(),
    **{f"without {kind}": ALL - {kind} for kind in KINDS},
    **{f"{kind} alone": frozenset((kind,)) for kind in KINDS},
}
"""What is known of fields in each row of the table."""
DIGITS = (8.0, 60.0)
"""Least and largest height of a digit in the pictures, pixels."""


class Field(msgspec.Struct, frozen=True):
    """A field of a sheet: what is written, and what was read under each of USES, with its state."""

    name: str
    kind: str
    truth: int | float | str | bool | None
    struck: bool
    read: dict[str, tuple[int | float | str | bool | None, State]]


class Sheet(msgspec.Struct, frozen=True):
    """A sheet: its fields, and how far from their places its cells were looked for, mm.

    `error` is why it was not read; `digit` the height of its digits, pixels.
    """

    number: int
    template: str
    digit: float
    is_bent: bool
    error: str = ""
    offset: float = 0.0
    largest_offset: float = 0.0
    alignment_mm: float = 0.0
    misplaced: int = 0
    fields: list[Field] = []


def measure(
    templates: Sequence[Path], count: int, data: Path | None, model: str, seed: int, processes: int,
    strikes: float, digits: tuple[float, float] = DIGITS, source: Source = "writer",
) -> list[Sheet]:  # fmt: skip
    """Draw so many sheets by held-out hands, and read them.

    Raises:
        DataError: a file of `data` is missing or broken.
    """
    draw = Draw(tuple(templates), "held_out", source, seed, digits, strikes)
    with get_context("spawn").Pool(processes, _prepare, (draw, data, model)) as pool:
        return list(pool.imap(_sheet, range(count), chunksize=2))


_readers: dict[str, SheetReader]


def _prepare(draw: Draw, data: Path | None, model: str) -> None:
    global _readers
    examples.prepare(draw, data, model)
    classifier = Classifier.load(model)
    _readers = {}
    for index in range(len(draw.templates)):
        form = examples.form(index)
        _readers[form.template.name] = SheetReader.load(form.template, classifier)


def _sheet(index: int) -> Sheet:
    drawn, form = examples.picture(index)
    name = form.template.name
    is_bent = drawn.view.bend is not None
    reader = _readers[name]
    try:
        seen = reader.seen(drawn.gray)
    except SheetError as error:
        return Sheet(index, name, drawn.digit, is_bent, str(error))
    away = examples.offsets(drawn, form.layout, seen.page)
    widths = [cell[2] for placed in form.layout.on_page(1) for cell in placed.cells]
    decisions = {use: decide(seen.hypotheses, form.template, use=kinds) for use, kinds in USES.items()}
    return Sheet(
        index, name, drawn.digit, is_bent, "", float(np.median(away)), float(away.max()),
        seen.page.aligned.residual_mm, int((away > np.array(widths) / 2).sum()),
        _fields(drawn, form, decisions),
    )  # fmt: skip


def _fields(drawn: SheetPicture, form: Form, decisions: dict[str, dict[str, FieldDecision]]) -> list[Field]:
    found = []
    for name, written in drawn.written.items():
        if name not in decisions["all rules"]:
            continue
        read = {use: (each[name].value, each[name].state) for use, each in decisions.items()}
        struck = any(field == name for field, _ in drawn.strikes)
        found.append(Field(name, form.template.fields[name].kind, written.value, struck, read))
    return found


def same(truth: object, value: object) -> bool:
    """Whether a value is what is written; numbers to a millionth."""
    if isinstance(truth, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return abs(truth - value) < 1e-6
    return type(truth) is type(value) and truth == value


def table(sheets: Sequence[Sheet]) -> str:
    """The figures with their 95 % intervals, sheets being resampled."""
    read = [sheet for sheet in sheets if not sheet.error]
    aligned = _share([int(not sheet.error) for sheet in sheets], [1] * len(sheets))
    lines = [f"{len(sheets)} sheets, {len(read)} aligned ({aligned})"]
    errors = Counter(sheet.error for sheet in sheets if sheet.error)
    lines += [f"    {count} x {error}" for error, count in sorted(errors.items())]
    if not read:
        return "\n".join(lines)
    middle = np.array([sheet.offset for sheet in read])
    largest = np.array([sheet.largest_offset for sheet in read])
    lines.append(
        f"alignment error: median {np.median(middle):.3f} mm, 99th percentile of the sheets' largest "
        f"{np.percentile(largest, 99):.3f} mm; "
        f"cells in another's place {sum(sheet.misplaced for sheet in read)}"
    )
    lines.append(
        f"{'':16}{'wrong of sure':>26}{'sure of written':>26}{'right':>26}{'empty taken for empty':>26}"
    )
    figures = (_wrong, _sure, _right, _empty)
    lines += [f"{use:16}" + "".join(f"{_of(read, use, one):>26}" for one in figures) for use in USES]
    struck = [field for sheet in read for field in sheet.fields if field.struck]
    if struck:
        taken = sum(
            _is_sure(field, "all rules") and not same(field.truth, field.read["all rules"][0])
            for field in struck
        )
        lines.append(f"fields with a cell struck out: {len(struck)}, {taken} of them sure and wrong")
        states = Counter(field.read["all rules"][1] for field in struck)
        lines.append(f"    their states: {', '.join(f'{state} {n}' for state, n in sorted(states.items()))}")
    return "\n".join(lines)


Count = Callable[[Field, str], tuple[bool, bool]]
"""Whether a field counts, and whether it is a hit."""


def _is_sure(field: Field, use: str) -> bool:
    return field.read[use][1] in ("sure", "empty")


def _wrong(field: Field, use: str) -> tuple[bool, bool]:
    value, state = field.read[use]
    counts = state == "sure" or (state == "empty" and field.truth is not None)
    return counts, not same(field.truth, value)


def _sure(field: Field, use: str) -> tuple[bool, bool]:
    return field.truth is not None, field.read[use][1] == "sure"


def _right(field: Field, use: str) -> tuple[bool, bool]:
    return True, same(field.truth, field.read[use][0])


def _empty(field: Field, use: str) -> tuple[bool, bool]:
    return field.truth is None, field.read[use][1] == "empty"


def _of(sheets: Sequence[Sheet], use: str, count: Count) -> str:
    """A share of the fields without strikes."""
    hits, totals = [], []
    for sheet in sheets:
        each = [count(field, use) for field in sheet.fields if not field.struck]
        hits.append(sum(counts and hit for counts, hit in each))
        totals.append(sum(counts for counts, _ in each))
    return _share(hits, totals)


def _share(hits: Sequence[int], totals: Sequence[int]) -> str:
    low, high = ratio_interval(hits, totals)
    return f"{sum(hits) / max(1, sum(totals)):.2%} ({low:.2%} to {high:.2%})"


def run(
    templates: Sequence[Path], count: int, data: Path | None, model: str, seed: int, processes: int,
    strikes: float, out: Path | None,
) -> None:  # fmt: skip
    """Measure, print the table, and write every sheet to a JSON file."""
    sheets = measure(templates, count, data, model, seed, processes, strikes)
    print(table(sheets))
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(sheets), indent=1))
