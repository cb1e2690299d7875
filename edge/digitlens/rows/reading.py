"""RowReader: the rows of a page that are in doubt, read again by the row network.

The lattice is exact where digits stand apart. Where they touch, are tiny, or the digit network is not sure,
the row network reads the row; it always reads a picture's only row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from digitlens.config.parameters.rows import DEFAULT_DECISION, DecisionParameters, RowParameters
from digitlens.config.settings import RowNetworkUse
from digitlens.core.readings import Box, Number, joined_text
from digitlens.core.row_trace import RowTrace
from digitlens.glyphs.lattice import Resolved
from digitlens.paper.page import Page
from digitlens.rows.decision import Decision, agreed, choose, evidence
from digitlens.rows.hypothesis_scores import HypothesisScores
from digitlens.rows.kept_signs import with_signs
from digitlens.rows.lines import to_rows
from digitlens.rows.recognizer import RowRecognizer
from digitlens.rows.row import Row, find_rows, is_close_up
from digitlens.rows.row_reading import Group, RowReading, read_row
from digitlens.rows.slices import Classify
from digitlens.rows.trace import trace_row


@dataclass
class _ReadRow:
    """A row that the row network has read, the lattice's text, the decision, and why the result stands."""

    row: Row
    reading: RowReading
    lattice: str
    decision: Decision
    reason: str


class RowReader:
    """Reads rows in doubt with the row network, and decides between it and the lattice.

    Args:
        recognizer: the row network.
        classify: the digit network, (N, 28, 28) uint8 -> (N, 10) float32.
        group: makes numbers of a row's digits.
        parameters: None takes the recognizer's.
        decision: the parameters of the decision.
        scores: of hypotheses; None takes the shipped ones.
    """

    def __init__(
        self,
        recognizer: RowRecognizer,
        classify: Classify,
        group: Group,
        parameters: RowParameters | None = None,
        decision: DecisionParameters = DEFAULT_DECISION,
        scores: HypothesisScores | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.parameters = parameters or recognizer.parameters
        self.decision = decision
        self.scores = scores or HypothesisScores.load()
        self._classify, self._group = classify, group

    def reread(
        self, numbers: tuple[Number, ...], page: Page, resolved: Resolved, use: RowNetworkUse
    ) -> tuple[tuple[Number, ...], tuple[RowTrace, ...]]:
        """The page's numbers in reading order, and a trace of each row that the row network read.

        `numbers` and `resolved` are the lattice's; `use` says which rows the row network reads.
        """
        if use == "none":
            return numbers, ()
        rows = [
            (row, row.split(self.parameters.part_gap))
            for row in find_rows(page.glyphs, page.mask, self.parameters)
        ]
        left, read = self._decide(list(numbers), page, resolved, use, rows)
        left, others = self._require_evidence(left, page, rows, read)
        for one in read.values():
            own = _of(left, one.row)
            left = _without(left, own) + agreed(own, one.reading.numbers)
        traces = tuple(self._trace(one, left) for one in (*read.values(), *others))
        lines = to_rows(left, self.parameters.least_overlap)
        return tuple(found for line in lines for found in line), traces

    def with_signs(self, numbers: tuple[Number, ...], page: Page, point: str) -> tuple[Number, ...]:
        """The page's numbers with their signs (kept_signs), in any order; reads every row with a number."""
        left = list(numbers)
        for row in find_rows(page.glyphs, page.mask, self.parameters):
            if own := _of(left, row):
                signs = self._read(row, page).list_signs()
                left = _without(left, own) + with_signs(own, signs, point, self.parameters.sign_reach)
        return tuple(left)

    def _decide(
        self,
        left: list[Number],
        page: Page,
        resolved: Resolved,
        use: RowNetworkUse,
        rows: list[tuple[Row, list[Row]]],
    ) -> tuple[list[Number], dict[int, _ReadRow]]:
        """The page's numbers after the decisions, and the parts of rows that were read, by their id."""
        glyph_probabilities = dict(
            zip((glyph.box for glyph in resolved.glyphs), resolved.probabilities, strict=True)
        )
        sure = self._sure_boxes(left, resolved)
        only_row, close_up = len(rows) == 1, is_close_up(page.glyphs, len(page.mask), self.parameters)
        read: dict[int, _ReadRow] = {}
        for part in (part for _, parts in rows for part in parts):
            if use == "all" or only_row or part.is_doubtful(sure):
                reading = self._read(part, page)
                own = _of(left, part)
                decision = choose(
                    own, reading, glyph_probabilities, self.scores, self.decision, only_row, close_up
                )
                read[id(part)] = _ReadRow(part, reading, _text(own), decision, decision.reason)
                if decision.numbers is not own:
                    left = _without(left, own) + decision.numbers
        return left, read

    def _sure_boxes(self, numbers: list[Number], resolved: Resolved) -> set[Box]:
        """The boxes of digits that are not in doubt, alone or in their number."""
        chosen = self.parameters
        sure = {
            digit.box
            for number in numbers
            for digit in number.digits
            if digit.confidence >= chosen.sure_digit
        }
        best = resolved.probabilities.max(axis=1, initial=0)
        slashes = {box for found in numbers for box in _tall_ones(found, chosen.tall_one)}
        return (sure - slashes) | {
            glyph.box
            for glyph, p in zip(resolved.glyphs, best, strict=True)
            if p >= chosen.sure_glyph and glyph.box not in slashes
        }

    def _require_evidence(
        self,
        left: list[Number],
        page: Page,
        rows: list[tuple[Row, list[Row]]],
        read: dict[int, _ReadRow],
    ) -> tuple[list[Number], list[_ReadRow]]:
        """The numbers with enough evidence, and the rows that were read only to find some.

        Where much of the page is no digit, every row needs evidence; elsewhere only rows with two different
        readings do.
        """
        digits = _area(digit.box for number in left for digit in number.digits)
        others = 1 - digits / max(1, _area(glyph.box for glyph in page.glyphs))
        mixed = others >= self.decision.mixed_page
        least = self.decision.evidence * others if mixed else 0.0
        more: list[_ReadRow] = []
        for row, parts in rows if mixed else [(part, [part]) for _, split in rows for part in split]:
            own, known = _of(left, row), read.get(id(row))
            # Equal readings are evidence; of a lone digit, the digit network knows more.
            text = joined_text(own)
            differs = known is not None and len(text) > 1 and text != joined_text(known.reading.numbers)
            if not own or not (mixed or differs):
                continue
            if known is None:
                known = _ReadRow(row, self._read(row, page), _text(own), Decision(own, ""), "")
                more.append(known)
            found = evidence(own, known.reading, self.decision)
            if found < least:
                left = _without(left, own)
                for one in (known, *(read[id(part)] for part in parts if id(part) in read)):
                    one.reason = f"dropped: evidence {found:.1f} < {least:.1f}"
            elif not known.reason:
                known.reason = f"lattice kept: evidence {found:.1f}"
        return left, more

    def _read(self, row: Row, page: Page) -> RowReading:
        return read_row(row, page, self.recognizer, self._classify, self._group, self.parameters)

    def _trace(self, one: _ReadRow, numbers: list[Number]) -> RowTrace:
        texts = one.lattice, _text(one.reading.numbers), _text(_of(numbers, one.row))
        return trace_row(one.row.box, one.reading, one.decision, texts, one.reason, self.decision.hypotheses)


def _tall_ones(found: Number, least: float) -> list[Box]:
    """The boxes of ones that stand out of their number, as a slash does."""
    others = [digit.box[3] for digit in found.digits if digit.value != 1]
    if not others:
        return []
    tall = least * median(others)
    return [digit.box for digit in found.digits if digit.value == 1 and digit.box[3] > tall]


def _of(numbers: list[Number], row: Row) -> list[Number]:
    return [number for number in numbers if row.has(number.box)]


def _text(numbers: list[Number]) -> str:
    """The digits from left to right."""
    return joined_text(sorted(numbers, key=lambda number: number.box[0]))


def _without(numbers: list[Number], gone: list[Number]) -> list[Number]:
    return [number for number in numbers if all(number is not other for other in gone)]


def _area(boxes: Iterable[Box]) -> int:
    return sum(width * height for _, _, width, height in boxes)
