"""One number followed from frame to frame: its digits, whether it is steady, and its events."""

from collections.abc import Mapping
from itertools import pairwise
from math import log, prod
from typing import Literal, NamedTuple

import msgspec

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.arrays import Doubles
from digitlens.core.readings import Box, Digit, Number, union
from digitlens.core.tracking import Event
from digitlens.live.digits import DigitTracks
from digitlens.live.evidence import DigitTrack, PairLink
from digitlens.live.looks import log_odds, probability, share

Read = Mapping[tuple[DigitTrack, ...], Number]
"""The numbers of a frame by the digits that are followed."""


class PlacedDigit(NamedTuple):
    """A digit of a number, its value there, and the sign before it."""

    digit: DigitTrack
    value: int
    sign: str


class Evidence(NamedTuple):
    """What a number's confidence is made of.

    `odds` and `counts` are its digits' log-odds and the looks at each; `surplus` is the mean log-odds of the
    number in its frames beyond those of its digits, `disagreement` the share of frames that read another one.
    """

    odds: tuple[float, ...]
    counts: tuple[float, ...]
    surplus: float
    disagreement: float


class FollowedNumber:
    """A number that is followed; `text` is the text of its last event, empty before the first."""

    def __init__(self, id_: int, parameters: TrackingParameters) -> None:
        self.id = id_
        self.age = 0  # frames
        self.text = ""
        self.parts: list[PlacedDigit] = []
        self.steady = False
        self.lost = 0  # consecutive frames without a chain of its digits
        self._parameters = parameters
        self._pending = ""  # another text that it seems to have
        self._waited = 0  # frames for which it has
        self._agreed = 0.0  # mean of 1 for frames that read exactly this number, and 0 for others
        self._surplus = 0.0  # mean log-odds that those give it beyond those of its digits
        self._judged = 0  # frames in these means

    @property
    def missed(self) -> int:
        """Frames since any of its digits was seen; more than a digit is kept, if it has none."""
        return min((one.digit.missed for one in self.parts), default=self._parameters.forget_frames + 1)

    @property
    def is_shown(self) -> bool:
        """Whether it is among the numbers of now."""
        if not self.parts:
            return False
        return self.steady or self.missed <= self._parameters.unsteady_shown_frames

    @property
    def is_in_doubt(self) -> bool:
        """Whether it is not steady, or was not read so in the last frame; not at the picture's edges."""
        digits = [one.digit for one in self.parts]
        if not all(one.is_inside for one in digits):
            return False
        return not self.steady or any(one.missed or one.contradictions for one in digits)

    def number(self) -> Number:
        """Its digits as a Number; boxes in the pixels of the last reading."""
        digits = tuple(
            Digit(one.value, one.digit.confidence_in(one.value), _pixel_box(one.digit.box))
            for one in self.parts
        )
        return Number(
            text=_text(self.parts),
            confidence=self._confidence(digits),
            box=union(digit.box for digit in digits),
            digits=digits,
            printed=2 * sum(one.digit.is_printed for one in self.parts) > len(self.parts),
        )

    def evidence(self) -> Evidence:
        """What its confidence is made of."""
        looks = [one.digit.looks for one in self.parts]
        return Evidence(
            tuple(one.digit.looks.log_odds(one.value) for one in self.parts),
            tuple(one.counted for one in looks),
            self._surplus,
            1 - self._agreed,
        )

    def event(self, kind: Literal["appeared", "changed", "gone"], time: float, before: str = "") -> Event:
        """An event of this kind, with the number as it is now."""
        found = self.number()
        return Event(kind, self.id, time, found.text, found.confidence, found.box, before)

    def end(self, time: float) -> list[Event]:
        """The event of its end; none if it was never reported."""
        return [msgspec.structs.replace(self.event("gone", time), text=self.text)] if self.text else []

    def update(self, chain: list[DigitTrack], tracks: DigitTracks, read: Read, time: float) -> list[Event]:
        """Take the digits that it has now; returns the event of its appearance or change, if there is one."""
        for one in chain:
            one.number = self.id
        kind = self._settle(chain, tracks)
        self._judge(read, anew=kind == "changed")
        if kind is None:
            return []
        before, self.text = self.text, _text(self.parts)
        return [self.event(kind, time, before)]

    def _judge(self, read: Read, *, anew: bool) -> None:
        """Add the frame's own reading of this number to the means."""
        if anew:
            self._judged = 0
        found = read.get(tuple(one.digit for one in self.parts))
        agrees = found is not None and all(
            digit.value == one.value for digit, one in zip(found.digits, self.parts, strict=True)
        )
        self._judged += 1
        step = max(1 / self._judged, self._parameters.looks.mean_step)
        self._agreed += step * (agrees - self._agreed) if self._judged > 1 else agrees - self._agreed
        if found is not None and agrees:
            surplus = log_odds(found.confidence) - log_odds(_product(found.digits))
            self._surplus += step / max(self._agreed, step) * (surplus - self._surplus)

    def _confidence(self, digits: tuple[Digit, ...]) -> float:
        """The probability that the number is right."""
        parameters = self._parameters.looks
        seen = share(min(one.digit.looks.counted for one in self.parts), parameters)
        odds = log_odds(_product(digits)) * (1 + seen * parameters.number_gain) + self._surplus
        odds -= (1 - self._agreed) * parameters.disagreement
        odds += seen * (parameters.number_shift + parameters.length * log(len(self.parts)))
        return probability(odds)

    def _settle(self, chain: list[DigitTrack], tracks: DigitTracks) -> Literal["appeared", "changed"] | None:
        links = [tracks.links[pair] for pair in pairwise(chain)]
        parts = _parts(chain, links)
        if self.text:
            # A digit beside a steady number is no part of it until it is settled.
            firm = [one for one in chain if one.is_settled]
            if 0 < len(firm) < len(chain):
                between = [tracks.link(*pair) for pair in pairwise(firm)]
                if all(link.signs for link in between):
                    parts, links = _parts(firm, between), between
        settled = all(one.digit.is_certain for one in parts) and all(link.is_settled for link in links)
        inside = all(one.digit.is_inside for one in parts) and all(one.digit.is_inside for one in self.parts)
        seen = all(one.missed == one.contradictions == 0 for one in chain)
        if not self.text:
            self.parts = parts
            old = self.age + 1 >= self._parameters.min_age
            self.steady = settled and inside and seen and old and not tracks.may_grow(chain)
            return "appeared" if self.steady else None
        text = _text(parts)
        if text == self.text:
            self._waited, self.parts = 0, parts
            self.steady = inside and all(one.is_certain for one in chain if one.is_settled)
            return None
        self._waited = self._waited + 1 if text == self._pending else 1
        self._pending = text
        if self._waited < self._parameters.change_frames:
            return None
        self.steady = False
        if inside:
            self.parts = parts
        if not (settled and inside and seen and len(parts) == len(chain)) or tracks.may_grow(chain):
            return None
        self._waited, self.parts, self.steady = 0, parts, True
        return "changed"


def _product(digits: tuple[Digit, ...]) -> float:
    return prod(digit.confidence for digit in digits)


def _parts(chain: list[DigitTrack], links: list[PairLink]) -> list[PlacedDigit]:
    signs = ["", *(link.sign for link in links)]
    return [PlacedDigit(one, one.likeliest, sign) for one, sign in zip(chain, signs, strict=True)]


def _text(parts: list[PlacedDigit]) -> str:
    return "".join(f"{one.sign}{one.value}" for one in parts)


def _pixel_box(box: Doubles) -> Box:
    x, y, width, height = box.tolist()
    left, top = round(x), round(y)
    return left, top, max(1, round(x + width) - left), max(1, round(y + height) - top)
