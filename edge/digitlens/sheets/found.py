"""Fields found on a form that exists already, and the template that offers them to be named."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from digitlens.sheets.fields import Kind
from digitlens.sheets.pages import MmBox

WIDEST = 12.0
"""Width of a cell up to which it is one digit's, millimeters; a wider box is written in freely."""
HEIGHT_OF_CELL = 0.7
"""Width of a digit in a box without cells, heights of the box."""


@dataclass(frozen=True, slots=True)
class FoundField:
    """A place to write in."""

    page: int
    """From 1."""
    box: MmBox
    kind: Kind
    cells: int | None
    """Cells side by side, or digits at most; None: a box without, of which neither is known."""
    name: str = ""
    label: str = ""
    is_divided: bool = True
    """Whether lines part its cells."""


def template_text(title: str, blank: str, paper: tuple[float, float], fields: Sequence[FoundField]) -> str:
    """The template of a form that exists already: TOML, the fields from the top left of each page."""
    width, height = paper
    lines = [
        f"title = {_quoted(title)}",
        f"blank = {_quoted(blank)}",
        f"paper = [{width:.1f}, {height:.1f}]             # millimeters",
        "",
        "# Fields as they were found. Name them, say their kind, smallest and largest, and add [rules]:",
        "# docs/sheets.md. Delete the ones that are not to be read. Ticks that are to be blackened need",
        "# blackened = true.",
    ]
    for field in named(fields):
        x, y, wide, tall = field.box
        cells = field.cells or max(1, min(round(wide / (HEIGHT_OF_CELL * tall)), 20))
        lines += ["", "[[field]]", f"name = {_quoted(field.name)}"]
        if field.label and field.label != field.name:
            lines.append(f"label = {_quoted(field.label)}")
        lines.append(f"kind = {_quoted(field.kind)}")
        if field.kind != "tick":
            lines.append(f"cells = {cells}")
            if field.kind == "digits" and cells > 1:
                lines.append("fewest = 1")
            if field.cells is None or not field.is_divided:
                lines.append("comb = false                      # written freely; at most so many digits")
        if field.page > 1:
            lines.append(f"page = {field.page}")
        step = wide / (1 if field.kind == "tick" else cells)
        lines += [f"at = [{x:.2f}, {y:.2f}]", f"cell = [{step:.3f}, {tall:.2f}]"]
    return "\n".join(lines) + "\n"


def named(fields: Sequence[FoundField]) -> list[FoundField]:
    """The fields from the top left of each page, each with a name of its own that can stand in a rule."""
    names: set[str] = set()
    found: list[FoundField] = []
    for field in sorted(fields, key=lambda one: (one.page, round(one.box[1] / 3), one.box[0])):
        stem = re.sub(r"\W+", "_", field.name, flags=re.ASCII).strip("_")[:32] or f"field_{len(found) + 1}"
        stem = stem if not stem[0].isdigit() else f"f_{stem}"
        name, count = stem, 1
        while name in names:
            count += 1
            name = f"{stem}_{count}"
        names.add(name)
        found.append(replace(field, name=name, label=field.label or field.name))
    return found


def _quoted(text: str) -> str:
    """A TOML string of one line: JSON's are, but for control characters that TOML refuses."""
    return json.dumps(" ".join(text.split()).replace("\x7f", ""), ensure_ascii=False)
