"""A template's TOML file -> Template; an error in it names the line and the fix."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from digitlens.config.toml_text import Place, line_of, not_toml, read_text
from digitlens.config.values import Invalid, convert, convert_value, key_name, shown, unknown_key
from digitlens.core.errors import SettingsError, TemplateError
from digitlens.sheets import lists
from digitlens.sheets.code import MAX_NAME
from digitlens.sheets.field_section import FieldSection, Label, cell_size, check_name, field_of
from digitlens.sheets.fields import Field, Point, Table, Template, expanded
from digitlens.sheets.layout import lay_out
from digitlens.sheets.pages import PAPERS, LayoutProblem
from digitlens.sheets.rule_section import rules_of

MAX_ROWS = 500
"""Rows of a table at most."""
MAX_FIELDS = 3000
"""Fields of a template at most, those of its tables counted."""
_NAME = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MAX_NAME - 2}}}[a-z0-9])?")
_NOT_IN_TABLES = ("heading", "at", "page")
"""Keys of a field that a table's columns have not."""


Side = Annotated[float, Meta(ge=50, le=600)]
"""Width or height of paper, millimeters."""


class _Head(msgspec.Struct, frozen=True):
    """What stands above the fields."""

    title: Label
    name: str = ""
    paper: Any = "A4"
    blank: str = ""
    landscape: bool = False
    note: Annotated[str, Meta(max_length=1000)] = ""
    font: str = ""
    cell: Point = (6.5, 8.0)


class _TableSection(msgspec.Struct, frozen=True):
    """[[table]] without its columns."""

    name: str
    label: Label = ""
    rows: Any = 1
    row_label: Label = ""
    at: Point | None = None
    page: Annotated[int, Meta(ge=1, le=20)] = 1


def load(path: Path) -> Template:
    """Read a template, and lay it out once, so that it is known to fit.

    Raises:
        TemplateError: it cannot be read, or something in it is wrong; one line, FILE:LINE first.
    """
    try:
        text = read_text(path)
        values = tomllib.loads(text)
    except SettingsError as error:
        raise TemplateError(str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(not_toml(path, text, str(error))) from error
    except RecursionError as error:
        raise TemplateError(f"{path}: brackets are nested too deeply") from error
    try:
        return _template(values, text, path)
    except Invalid as invalid:
        line = line_of(text, invalid.place)
        where = f"{path}{f':{line}' if line else ''}"
        raise TemplateError(f"{where}: {key_name(invalid.place)}: {invalid.problem}") from invalid


def _template(values: dict[str, Any], text: str, path: Path) -> Template:
    keys = {field.name for field in msgspec.structs.fields(_Head)}
    for key in values:
        if key not in {*keys, "field", "table", "rules"}:
            raise Invalid((key,), unknown_key(key, [*keys, "field", "table", "rules"]))
    head = _head({key: value for key, value in values.items() if key in keys})
    name = head.name or path.stem.lower().replace("_", "-")
    if not _NAME.fullmatch(name):
        raise Invalid(
            ("name",), f"{shown(name)}: take lower-case letters, digits and -, {MAX_NAME} at most; "
            "it stands in the code on the page",
        )  # fmt: skip
    cell = cell_size(head.cell, ("cell",))
    placed: list[tuple[Place, Field | Table]] = [
        (place, _field(section, place, path.parent, cell)) for place, section in _sections(values, "field")
    ]
    for place, section in _sections(values, "table"):
        placed.append((place, _table(section, place, path.parent, cell)))
    placed.sort(key=lambda one: line_of(text, one[0]))
    if not placed:
        raise Invalid(("field",), "is missing; a template needs a [[field]] or a [[table]]")
    fields = _fields_by_name(placed)
    rules = values.get("rules", {})
    if not isinstance(rules, dict):
        raise Invalid(("rules",), "must be a section: [rules]")
    tables = {block.name: block for _, block in placed if isinstance(block, Table)}
    paper, blank_mm = _paper(head)
    template = Template(
        name=name, title=head.title, paper=paper, landscape=head.landscape, note=head.note, version="",
        blocks=tuple(block for _, block in placed), rules=rules_of(rules, fields, tables),
        font=str(path.parent / head.font) if head.font else "", blank_mm=blank_mm,
        blank=str(path.parent / head.blank) if head.blank else "",
    )  # fmt: skip
    for key, file in (("font", template.font), ("blank", template.blank)):
        if file and not Path(file).is_file():
            raise Invalid((key,), f"{file}: no such file")
    try:
        layout = lay_out(template)
    except LayoutProblem as problem:
        place = next(place for place, block in placed if block is problem.block)
        raise Invalid((*place, problem.key), problem.problem) from problem
    if not template.font:
        _check_letters("".join(line.text for line in layout.texts), text, path)
    return replace(template, version=_version(template))


def _paper(head: _Head) -> tuple[Literal["A4", "Letter"], Point | None]:
    """The paper, and of a form that exists already its width and height in millimeters."""
    if not head.blank:
        if head.paper not in PAPERS:
            raise Invalid(("paper",), f'{shown(head.paper)}: must be one of "A4", "Letter"')
        return head.paper, None
    paper: object = PAPERS.get(head.paper) if isinstance(head.paper, str) else head.paper
    try:
        width, height = msgspec.convert(paper, tuple[Side, Side])
    except msgspec.ValidationError as error:
        problem = "is the blank's width and height in millimeters: [210, 297]"
        raise Invalid(("paper",), problem) from error
    return "A4", (height, width) if head.landscape else (width, height)


def _check_letters(printed: str, text: str, path: Path) -> None:
    """Refuse letters that a PDF's own Helvetica lacks; their line is the first that has them."""
    for letter in printed:
        if not letter.encode("latin-1", "ignore"):
            line = text[: text.find(letter)].count("\n") + 1 if letter in text else 0
            where = f"{path}{f':{line}' if line else ''}"
            fix = 'name a TrueType font that has it: font = "FILE.ttf"'
            raise TemplateError(f"{where}: the letter {letter} is not in Helvetica; {fix}")


def _head(values: dict[str, Any]) -> _Head:
    types = {field.name: field.type for field in msgspec.structs.fields(_Head)}
    if "title" not in values:
        raise Invalid(("title",), "is missing; it must be the text above the form")
    return _Head(**{key: convert_value((key,), value, types[key]) for key, value in values.items()})


def _sections(values: Mapping[str, Any], key: str) -> list[tuple[Place, dict[str, Any]]]:
    """The tables of [[key]], each with its place, counted from 1."""
    return _list(values.get(key, []), (key,), f"[[{key}]]")


def _list(given: object, place: Place, header: str) -> list[tuple[Place, dict[str, Any]]]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Invalid(place, f"must be written {header}, with two brackets")
    return [((*place, str(count)), one) for count, one in enumerate(given, 1)]


def _field(section: dict[str, Any], place: Place, folder: Path, cell: Point) -> Field:
    return field_of(convert(place, section, FieldSection), place, folder, cell)


def _table(section: dict[str, Any], place: Place, folder: Path, cell: Point) -> Table:
    columns = _list(section.get("column", []), (*place, "column"), "[[table.column]]")
    if not columns:
        raise Invalid(place, "a table needs a [[table.column]]")
    table = convert(place, {key: value for key, value in section.items() if key != "column"}, _TableSection)
    check_name(place, table.name)
    found = []
    for inner, column in columns:
        for key in _NOT_IN_TABLES:
            if key in column:
                raise Invalid((*inner, key), "belongs to the table, not to its columns")
        found.append(_field(column, inner, folder, cell))
        if any(one.name == found[-1].name for one in found[:-1]):
            raise Invalid(
                (*inner, "name"), f"{shown(found[-1].name)}: the table has another column of that name"
            )
    return Table(
        table.name, table.label, table.row_label, _rows(table.rows, (*place, "rows"), folder), tuple(found),
        table.at, table.page,
    )  # fmt: skip


def _rows(given: object, place: Place, folder: Path) -> tuple[str, ...]:
    """The rows' labels, of a number of empty rows, a list of labels, or a CSV file's column."""
    if isinstance(given, str):
        try:
            rows = lists.load(given, folder)
        except lists.ListProblem as problem:
            raise Invalid(place, str(problem)) from problem
    elif isinstance(given, int) and not isinstance(given, bool) and given > 0:
        rows = ("",) * min(given, MAX_ROWS + 1)
    elif isinstance(given, list) and given and all(isinstance(one, str) and one.strip() for one in given):
        rows = tuple(" ".join(one.split()) for one in given)
    else:
        raise Invalid(
            place, 'must be a number of empty rows, a list of labels in quotes, or "FILE.csv:COLUMN"'
        )
    if len(rows) > MAX_ROWS:
        raise Invalid(place, f"a table has at most {MAX_ROWS} rows")
    return rows


def _fields_by_name(placed: Sequence[tuple[Place, Field | Table]]) -> dict[str, Field]:
    """All fields by name; raises Invalid where two blocks have one name."""
    lines: dict[str, Place] = {}
    fields: dict[str, Field] = {}
    for place, block in placed:
        if block.name in lines:
            raise Invalid(
                (*place, "name"), f"{shown(block.name)}: there is another field or table of that name"
            )
        lines[block.name] = place
        for field in expanded(block) if isinstance(block, Table) else (block,):
            fields[field.name] = field
        if len(fields) > MAX_FIELDS:
            raise Invalid(place, f"with it there are more than {MAX_FIELDS} fields")
    return fields


def _version(template: Template) -> str:
    """A hash of everything that is printed."""
    printed = replace(template, rules=(), font="", blank="", blocks=tuple(map(_printed, template.blocks)))
    return hashlib.sha256(repr(printed).encode()).hexdigest()[:6].upper()


def _printed(block: Field | Table) -> Field | Table:
    """A block without the parts that only reading needs."""
    if isinstance(block, Table):
        return replace(block, columns=tuple(replace(_bare(column)) for column in block.columns))
    return _bare(block)


def _bare(field: Field) -> Field:
    return replace(
        field, fewest=1, smallest=None, largest=None, required=False, check=None, members=None, source=""
    )
