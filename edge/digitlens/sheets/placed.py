"""The layout of a form that exists already: its fields stand where the template says."""

from digitlens.sheets.combs import comb_width
from digitlens.sheets.fields import Table, Template
from digitlens.sheets.pages import Layout, LayoutProblem, PlacedField


def placed(template: Template, paper: tuple[float, float]) -> Layout:
    """The pages of a form of so many millimeters, without fiducials and code.

    Raises:
        LayoutProblem: a field has no place, or one off the page; a table, which such a form has not.
    """
    fields: dict[str, PlacedField] = {}
    for block in template.blocks:
        if isinstance(block, Table):
            raise LayoutProblem(
                block, "name", "a form with a blank has fields alone, each with its place (at)"
            )
        if block.at is None:
            raise LayoutProblem(
                block, "at", "is missing; it must be the place of its top left corner on the blank"
            )
        (x, y), (width, height) = block.at, (comb_width(block), block.cell_mm[1])
        if x < 0 or y < 0 or x + width > paper[0] or y + height > paper[1]:
            raise LayoutProblem(block, "at", f"lies off the page of {paper[0]:g} x {paper[1]:g} mm")
        box = (round(x, 3), round(y, 3), round(width, 3), round(height, 3))
        fields[block.name] = PlacedField(block, block.page, box)
    pages = max(one.page for one in fields.values())
    return Layout(paper, pages, fields, (), (0.0, 0.0, 0.0, 0.0), (), ())
