"""The last step of a reading: what is no number goes, texts get their marks, and the numbers their order."""

from collections.abc import Sequence

from digitlens.config.parameters.numbers import NumberParameters
from digitlens.config.settings import SignUse
from digitlens.core.readings import Number
from digitlens.numbers import roman_numerals
from digitlens.numbers.grouping import separated
from digitlens.numbers.order import in_reading_order
from digitlens.numbers.printed import marked_printed
from digitlens.paper.page import Page
from digitlens.rows.reading import RowReader


class Finish:
    """The numbers in order, without Roman numerals; with marks of print, separators and signs.

    Args:
        printed: print is read, too, and marked.
        signs: whether texts keep them.
        separator: written for a decimal point or comma; "" leaves it out.
        parameters: see NumberParameters.
    """

    def __init__(self, printed: bool, signs: SignUse, separator: str, parameters: NumberParameters) -> None:
        self._printed, self._signs, self._separator = printed, signs, separator
        self._parameters = parameters

    def __call__(self, found: Sequence[Number], page: Page, rows: RowReader | None) -> tuple[Number, ...]:
        """Finish the numbers of a page; without `rows` no signs are kept."""
        numbers = roman_numerals.without(tuple(found), self._parameters)
        if self._printed:
            numbers = marked_printed(numbers, page.glyphs)
        if self._signs == "keep" and rows is not None:
            numbers = rows.with_signs(numbers, page, self._separator or ".")
        elif self._separator:
            numbers = tuple(
                separated(found, page.dots, self._separator, self._parameters) for found in numbers
            )
        return in_reading_order(numbers)
