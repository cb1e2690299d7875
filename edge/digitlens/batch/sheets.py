"""The page reader of forms: what `digitlens sheet read` finds, as a row a field."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.batch.numbers import NumberOptions, value_of
from digitlens.batch.rows import READ, Row
from digitlens.core.arrays import Pixels
from digitlens.core.errors import TemplateError, reason
from digitlens.models.classifier import DEFAULT, Classifier

if TYPE_CHECKING:
    from digitlens.sheets.reader import SheetReader
    from digitlens.sheets.readings import FieldReading, Value

SERIAL = "#serial"
"""The field of a page's first row, its sheet's serial number if it has one; no template has such a field."""


@dataclass(frozen=True, slots=True)
class SheetOptions:
    """Options of the SheetReader in each worker.

    Args:
        template: the form's file.
        model: a shipped classifier's name, or a model file's path.
    """

    template: Path
    model: str = DEFAULT

    def open(self) -> "SheetPageReader":
        """Load the template and the models.

        Raises:
            TemplateError: the template cannot be read, or is wrong.
            ModelError, DependencyError: they cannot be loaded.
        """
        from digitlens.sheets.reader import SheetReader  # its extra is needed for forms alone
        from digitlens.sheets.template import load

        return SheetPageReader(SheetReader.load(load(self.template), Classifier.load(self.model)))

    def fingerprint(self) -> dict[str, str]:
        """The version, the digests of the models, of the template and of its lists.

        Raises:
            ModelError: there is no such model.
            TemplateError: the template cannot be read, or is wrong.
        """
        from digitlens.sheets.template import load

        template = load(self.template)
        lists = {field.source.rpartition(":")[0] for field in template.fields.values() if field.source}
        digest = hashlib.sha256()
        for path in (self.template, *(self.template.parent / name for name in sorted(lists))):
            try:
                digest.update(path.read_bytes())
            except OSError as error:
                raise TemplateError(f"{path}: {reason(error)}") from error
        found = NumberOptions(self.model).fingerprint()
        kept = {name: found[name] for name in ("digitlens", "model", "networks")}
        return kept | {"sheet": f"{template.name} {digest.hexdigest()[:16]}"}


class SheetPageReader:
    """Reads a page's fields as rows, in the template's order; empty ones have no text."""

    color = False

    def __init__(self, reader: "SheetReader") -> None:
        self._reader = reader

    def __call__(self, image: Pixels) -> list[Row]:
        """(H, W) uint8 gray -> a row a field.

        Raises:
            SheetError: there is no page of the form, or it cannot be aligned.
        """
        page = self._reader.read(image)
        rows = [_row(name, one) for name, one in page.fields.items()]
        if not page.serial:
            return rows
        serial = str(page.serial)
        return [Row(SERIAL, serial, float(serial), 1.0, None, None, None, None, READ, None), *rows]


def _row(name: str, one: "FieldReading") -> Row:
    text = _text(one.value)
    value = None if isinstance(one.value, bool) else value_of(text or "", ".")
    x, y, width, height = one.box
    return Row(
        name, text, value, round(float(one.confidence), 6), x, y, width, height, one.state,
        one.reason or None,
    )  # fmt: skip


def _text(value: "Value") -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
