"""Reader: picture -> Reading; the same for photos, videos and the live camera."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np

from digitlens.config.parameters import DEFAULT, Parameters
from digitlens.config.parameters.reader import LEAST_CONFIDENCE
from digitlens.config.settings import RowNetworkUse, SignUse
from digitlens.core.arrays import Floats, Gray, Pixels
from digitlens.core.errors import ModelError
from digitlens.core.paths import as_text
from digitlens.core.readings import Box, Digit, Number, Reading, moved, resized, scaled
from digitlens.core.row_trace import RowTrace
from digitlens.core.threads import one_at_a_time
from digitlens.core.trace import Trace
from digitlens.glyphs.lattice import Resolved, resolve
from digitlens.glyphs.normalize import to_mnist
from digitlens.glyphs.orientation import turned, turned_back, upright_turn
from digitlens.models import cards
from digitlens.models.cache import TwoFrameCache
from digitlens.models.classifier import Classifier
from digitlens.numbers.attempt import Attempt
from digitlens.numbers.finish import Finish
from digitlens.numbers.gaps import to_numbers
from digitlens.numbers.merging import are_close, parted, regrouped
from digitlens.numbers.rejection import digits_of
from digitlens.numbers.scores import Scores
from digitlens.numbers.signs import numbers_by_prior
from digitlens.paper.looking import Look
from digitlens.paper.network import DEFAULT as INK_MODEL
from digitlens.paper.network import InkNetwork
from digitlens.paper.page import Glyph, Page, find_page
from digitlens.paper.rules.segment import find_page as find_page_by_rules
from digitlens.paper.scale import enlarged, find_scaled, reduced, to_gray
from digitlens.paper.skew import Leveled, level_tilted
from digitlens.paper.threshold import threshold_page
from digitlens.paper.witness import Witness
from digitlens.rows.reading import RowReader
from digitlens.rows.recognizer import DEFAULT as ROW_MODEL
from digitlens.rows.recognizer import RowRecognizer
from digitlens.rows.row_reading import Group

Watch = Callable[[Trace], None]
Front = Literal["auto", "rules", "network"]

KEPT = 4 << 20
"""Freed memory of which the process keeps twice as much for the next picture, in bytes."""


class Reader:
    """Reads the numbers of a picture; threads that share one wait for each other.

    Args:
        classifier: None takes the shipped int8 network.
        watch: called with the trace of each picture, see digitlens.images.stages; None makes none.
        separator: written in a number's text for a decimal point or comma; "" leaves them out.
        signs: `part`: signs part numbers; `keep`: texts keep them, as in 8/12/2025, -264 and 2+3=.
        row_network: the rows that the network `numbers` reads, too: doubtful ones, all, or none.
        recognizer: that network; None takes the shipped one, where it is.
        parameters: of all stages.
        ink: the network that says which ink is a digit's; None takes the shipped one.
        printed: printed digits are read, too, and marked so.
        turn: degrees counterclockwise, 0, 90, 180 or 270, by which a picture is turned to read it; None finds
            out which way is up. Boxes are always in the picture's own pixels.
        front: what finds the ink: `rules`, `network`, or `auto`: rules, and where their reading does not fit
            what the network sees, the network.
        film: successive pictures are frames of one film: where one has not changed, the last one's ink
            stands.
        scores: what makes numbers of the network's glyphs; None takes the shipped networks.
        least_confidence: numbers with a lower confidence are left out.
        whole: the former name of `row_network`.
    """

    def __init__(
        self,
        classifier: Classifier | None = None,
        watch: Watch | None = None,
        separator: str = "",
        row_network: RowNetworkUse = "doubtful",
        recognizer: RowRecognizer | None = None,
        parameters: Parameters = DEFAULT,
        *,
        ink: InkNetwork | None = None,
        printed: bool = False,
        turn: int | None = None,
        film: bool = False,
        front: Front = "auto",
        signs: SignUse = "part",
        scores: Scores | None = None,
        least_confidence: float = LEAST_CONFIDENCE,
        whole: RowNetworkUse | None = None,
    ) -> None:
        if whole is not None:
            warnings.warn("Reader(whole=) is now row_network=", DeprecationWarning, stacklevel=2)
            row_network = whole
        self.classifier = classifier or Classifier.load()
        self.separator = separator
        self.row_network = row_network
        if recognizer is None and row_network != "none" and ROW_MODEL in cards.names(rows=True):
            recognizer = RowRecognizer.load(parameters=parameters.rows)
        self._recognizer = recognizer
        if ink is None and self.classifier.card.others is not None:
            ink = InkNetwork.load(INK_MODEL)
        if turn not in (None, 0, 90, 180, 270):
            raise ValueError(f"turn={turn}: take None, 0, 90, 180 or 270")
        self._ink, self._printed, self._turn, self._film = ink, printed, turn, film
        self._look = None if ink is None else Look(ink, parameters.paper, film)
        self._front, self._signs = front, signs
        self._finish = Finish(printed, signs, separator, parameters)
        self._watch = watch
        self._parameters = parameters
        self._least = least_confidence
        self._rule_rows = self._row_reader(self._group_at_gaps)
        if ink is not None:
            self._scores = scores or Scores.load(parameters.reader)
            self._network_rows = self._row_reader(self._scores.group)
        # An int8 network's outputs are the same to the bit in any batch; others are computed every time.
        self._cacheable = self.classifier.card.input.dtype == "uint8"
        self._cache: TwoFrameCache[bytes, Floats] = TwoFrameCache()
        # Returning a picture's buffers to the system and getting them again takes a third of the time. glibc
        # keeps blocks smaller than the largest ever freed: mallopt(3). This one is never touched.
        np.empty(KEPT, np.uint8)

    def _row_reader(self, group: Group) -> RowReader | None:
        if self._recognizer is None:
            return None
        parameters = self._parameters
        return RowReader(self._recognizer, self._probabilities, group, parameters.rows, parameters.decision)

    def watched(self, watch: Watch) -> "Reader":
        """Another reader with the same networks and options, whose traces go to `watch`."""
        return Reader(
            self.classifier,
            watch,
            self.separator,
            self.row_network,
            self._recognizer,
            self._parameters,
            ink=self._ink,
            printed=self._printed,
            turn=self._turn,
            film=self._film,
            front=self._front,
            signs=self._signs,
            scores=None if self._ink is None else self._scores,
            least_confidence=self._least,
        )

    @one_at_a_time
    def read(
        self, image: Pixels | str | Path, source: str = "", time: float = 0.0, page: int | None = None
    ) -> Reading:
        """Read (H, W, 3) uint8 BGR or (H, W) uint8 gray, or a document's page.

        Args:
            image: the picture, or the path of a document.
            source: the name that the reading carries; of a path the path itself.
            time: that the reading carries, in seconds.
            page: from 1; of a path which page is read, None for its only one.

        Raises:
            PictureError: another shape or dtype; a path that cannot be read, or has several pages.
        """
        if isinstance(image, str | Path):
            from digitlens.images import documents  # imports Pillow, which no camera needs

            pixels, found = documents.one_page(Path(image), page)
            reading = self.read(pixels, source or as_text(Path(image)), time, found.page)
            return resized(reading, found.size)
        started = perf_counter()
        self._cache.next_frame()
        if self._recognizer is not None:
            self._recognizer.next_frame()
        turn = 0 if self._turn is None else self._turn // 90
        original = turned(to_gray(image), turn)
        attempt = self._attempt(original)
        milliseconds = {**attempt.milliseconds, "total": (perf_counter() - started) * 1000}
        if self._watch is not None:
            self._watch(attempt.trace(milliseconds, self._parameters.glyphs))
        height, width = image.shape[:2]
        sure = tuple(found for found in attempt.numbers if found.confidence >= self._least)
        numbers = moved(sure, lambda box: turned_back(box, turn, (width, height)))
        return Reading(source, time, (width, height), numbers, milliseconds, page or 1)

    def _attempt(self, original: Gray) -> Attempt:
        """The reading by one front, or by both, in pixels of the picture."""
        if self._look is None or self._front == "rules":
            return self._by_rules(original)
        if self._front == "network" or self._printed:
            return self._by_network(original)
        first = self._by_rules(original)
        limits = self._parameters.reader
        if first.numbers and min(original.shape) < limits.least_side:
            return first
        gray = reduced(original, limits)
        witness = Witness(self._look.logits(gray), self._look.scale)
        scale = gray.shape[1] / original.shape[1]
        fit = first.fit(witness, scale)
        upright = self._turn is not None or not upright_turn(
            first.page.glyphs, self._classify, self._parameters.orientation
        )
        if fit < limits.good_fit or not upright:
            second = self._by_network(original)
            if second.fit(witness, scale) > fit:
                return self._merged(first, second, original)
        if are_close(first.seen, limits.clear_gap) and not witness.has_uprights(limits.upright_line):
            return first
        page = self._find(first.gray)
        numbers = self._finish(parted(first.seen, page, self._scores.group), page, self._rule_rows)
        return first.with_numbers(numbers).unreduced(_size(original))

    def _merged(self, first: Attempt, second: Attempt, original: Gray) -> Attempt:
        """The network's reading with the better numbers of both, or that by rules where it has nothing."""
        limits, scores = self._parameters.reader, self._scores
        size = _size(second.gray)
        if second.straight and first.numbers:
            whole = second.whole or second.page
            others = regrouped(
                first.numbers, whole, lambda box: scaled(box, _size(original), size), scores.group
            )
            others = self._finish(others, whole, self._network_rows)
            numbers = scores.better(second.candidates, second.page, others, whole, limits.least_shared)
            return second.with_numbers(numbers).unreduced(_size(original))
        best = max((found.confidence for found in second.numbers), default=0.0)
        return second if first.numbers or best >= limits.least_alone else first

    def _by_rules(self, original: Gray) -> Attempt:
        """Read by the front of rules, at one scale and upright."""
        started = perf_counter()
        limits = self._parameters.reader
        gray = reduced(original, limits)
        find = threshold_page if self._ink is None else find_page_by_rules
        page = find(gray)
        larger = enlarged(gray, page.glyphs, limits)
        if larger is not None:
            gray, page = larger, find(larger)
        resolved = self._resolve(page)
        found = perf_counter()
        numbers = numbers_by_prior(
            resolved, page, self._group_at_gaps, self.classifier.card.others, self._parameters
        )
        attempt = self._numbers(gray, page, resolved, numbers, self._rule_rows, (started, found))
        return attempt.unreduced(_size(original))

    def _by_network(self, original: Gray) -> Attempt:
        """Read by the front of the network, at the scale of the writing, turned upright and leveled."""
        started = perf_counter()
        turn = 0
        gray, page = find_scaled(original, self._find, self._parameters.reader)
        if self._turn is None:
            turn = upright_turn(page.glyphs, self._classify, self._parameters.orientation)
            if turn:
                gray, page = find_scaled(turned(original, turn), self._find, self._parameters.reader)
        size = _size(gray.T if turn % 2 else gray)
        leveled = level_tilted(gray, page, self._parameters.skew)
        if leveled is not None:
            gray, page = leveled.gray, self._find(leveled.gray)
        whole = page
        resolved = self._resolve(page)
        found = perf_counter()
        if self._printed:  # print has every digit's shape, and none of a hand's traits
            chances = resolved.probabilities.sum(axis=1, dtype=np.float64)
        else:
            resolved, page, chances = self._scores.reject(resolved, page)
        numbers = self._scores.group(digits_of(resolved, chances), page)
        attempt = self._numbers(gray, page, resolved, numbers, self._network_rows, (started, found))
        attempt = replace(
            attempt.with_numbers(self._scores.stand(attempt.numbers, page)),
            whole=whole,
            candidates=attempt.numbers,
            straight=not turn and leveled is None,
        )
        return attempt.moved(lambda box: turned_back(_back(box, leveled), turn, size), size, _size(original))

    def _resolve(self, page: Page) -> Resolved:
        return resolve(page.glyphs, self._classify, self._parameters.lattice, self._parameters.glyphs)

    def _numbers(
        self,
        gray: Gray,
        page: Page,
        resolved: Resolved,
        numbers: tuple[Number, ...],
        rows: RowReader | None,
        times: tuple[float, float],
    ) -> Attempt:
        """A page's numbers after its rows in doubt were read again, in pixels of `gray`.

        `times` are when it began and when the glyphs were found, seconds.
        """
        (started, found), grouped = times, perf_counter()
        traces: tuple[RowTrace, ...] = ()
        if rows is not None:
            numbers, traces = rows.reread(numbers, page, resolved, self.row_network)
        rows_read = perf_counter()
        numbers = self._finish(numbers, page, rows)
        ended = perf_counter()
        milliseconds = {
            "glyphs": (found - started) * 1000,
            "rows": (rows_read - grouped) * 1000,
            "numbers": (grouped - found + ended - rows_read) * 1000,
        }
        return Attempt(gray, page, resolved, numbers, numbers, traces, milliseconds)

    def _group_at_gaps(self, digits: Sequence[Digit], page: Page) -> tuple[Number, ...]:
        return to_numbers(digits, page.borders, self._parameters.numbers)

    def _find(self, gray: Gray) -> Page:
        if self._look is None:
            raise ModelError("reads by rules alone: there is no network for the ink")
        return find_page(gray, self._look, self._printed, self._parameters.paper)

    def _classify(self, glyphs: list[Glyph]) -> Floats:
        return self._probabilities(to_mnist(glyphs, self._parameters.glyphs))

    def _probabilities(self, crops: Gray) -> Floats:
        """(N, 28, 28) uint8 -> (N, 10), from the cache where a crop is the same as in the last frame."""
        if not self._cacheable:
            return self.classifier.probabilities(crops)
        rows = self._cache.all(
            [crop.tobytes() for crop in crops],
            lambda places: list(self.classifier.probabilities(crops[places])),
        )
        return np.array(rows, np.float32).reshape(-1, 10)


def _size(gray: Gray) -> tuple[int, int]:
    """Width and height."""
    return gray.shape[1], gray.shape[0]


def _back(box: Box, leveled: Leveled | None) -> Box:
    return box if leveled is None else leveled.boxed_back(box)
