"""The last step of a reading: ink is read once, what is no number goes, texts get their marks and order."""

from collections.abc import Sequence

from digitlens.config.parameters import Parameters
from digitlens.config.settings import SignUse
from digitlens.core.readings import Number
from digitlens.numbers import roman_numerals
from digitlens.numbers.grouping import separated
from digitlens.numbers.merging import partitioned
from digitlens.numbers.order import in_reading_order
from digitlens.numbers.printed import marked_printed
from digitlens.paper.page import Page
from digitlens.rows.reading import RowReader


class Finish:
    """The numbers in order, without Roman numerals and doubles; with marks of print, separators and signs.

    Args:
        printed: print is read, too, and marked.
        signs: whether texts keep them.
        separator: written for a decimal point or comma; "" leaves it out.
        parameters: of all stages.
    """

    def __init__(self, printed: bool, signs: SignUse, separator: str, parameters: Parameters) -> None:
        self._printed, self._signs, self._separator = printed, signs, separator
        self._parameters, self._same_ink = parameters.numbers, parameters.reader.same_ink

    def __call__(self, found: Sequence[Number], page: Page, rows: RowReader | None) -> tuple[Number, ...]:
        """Finish the numbers of a page; without `rows` no signs are kept."""
        numbers = roman_numerals.without(partitioned(found, self._same_ink), self._parameters)
        if self._printed:
            numbers = marked_printed(numbers, page.glyphs)
        if self._signs == "keep" and rows is not None:
            numbers = rows.with_signs(numbers, page, self._separator or ".")
        elif self._separator:
            numbers = tuple(
                separated(found, page.dots, self._separator, self._parameters) for found in numbers
            )
        return in_reading_order(numbers)
