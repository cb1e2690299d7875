"""Readings over time -> steady readings, and an event when a number appears, changes or goes."""

from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from digitlens.core.boxes import intersections, iou
from digitlens.core.readings import Box, Digit, Number, Reading, union
from digitlens.core.tracking import Event, Tracked
from digitlens.live import motion
from digitlens.live.chains import COVERED, chained
from digitlens.live.evidence import AFRESH, NONE, UNSEEN, YOUNG, DigitTrack, Floats, PairLink, logs, take
from digitlens.live.scene import SceneChangeDetector

HOLD = 3
"""Frames that another text stands before a steady number takes it."""
GONE = 15
"""Frames without it, after which a digit is forgotten: half a second of a camera's."""
AWAY = 90
"""The same for one that the picture's edge hides."""
BORDER = 0.08
"""Of its height: a digit that close to the picture's edge may be cut."""
MOST = 400
"""Digits that are followed at once."""


_Part = tuple[DigitTrack, int, str]
"""A digit of a number, its value there, the sign before it."""


class _Known:
    """A number that is followed, and what was said about it."""

    def __init__(self, id_: int) -> None:
        self.id = id_
        self.age = 0
        self.text = ""  # of the last event; empty before the first
        self.parts: list[_Part] = []
        self.steady = False
        self.pending = ""
        self.waited = 0
        self.lost = 0

    def number(self) -> Number:
        digits = tuple(Digit(value, one.confidence, _whole(one.box)) for one, value, _ in self.parts)
        return Number(
            text=_text(self.parts),
            confidence=float(np.prod([digit.confidence for digit in digits])),
            box=union(digit.box for digit in digits),
            digits=digits,
        )

    def event(self, kind: Literal["appeared", "changed", "gone"], time: float, before: str = "") -> Event:
        found = self.number()
        return Event(kind, self.id, time, found.text, found.confidence, found.box, before)

    def gone(self, time: float) -> list[Event]:
        """What is to be told of its end: nothing, if nothing was told of it before."""
        return [msgspec.structs.replace(self.event("gone", time), text=self.text)] if self.text else []


class Tracker:
    """Follows the numbers of a camera's readings; knows no clock but theirs.

    A digit's log-probabilities add up from frame to frame. A number is steady when all its digits are
    settled and belong together; from then on single frames that say otherwise change nothing of it.
    """

    def __init__(self) -> None:
        self._digits: list[DigitTrack] = []
        self._links: dict[tuple[DigitTrack, DigitTrack], PairLink] = {}
        self._known: dict[int, _Known] = {}
        self._count = 0
        self._size = (0, 0)
        self._scene = SceneChangeDetector()

    @property
    def numbers(self) -> tuple[Tracked, ...]:
        """The numbers of now, steady or not, in reading order; boxes in the last reading's pixels."""
        shown = [
            Tracked(known.id, known.number(), known.steady, known.age)
            for known in self._known.values()
            if known.parts and (known.steady or min(one.missed for one, _, _ in known.parts) <= 2)
        ]
        rows: list[list[Tracked]] = []
        for one in sorted(shown, key=lambda one: (_middle(one.number.box), one.id)):
            if rows and _middle(one.number.box) - _middle(rows[-1][0].number.box) < one.number.box[3] / 2:
                rows[-1].append(one)
            else:
                rows.append([one])
        return tuple(one for row in rows for one in sorted(row, key=lambda one: one.number.box[0]))

    def update(self, reading: Reading) -> list[Event]:
        """Take the next frame's reading; returns what happened to steady numbers, in the order of their ids.

        A picture that has not changed is told by its reading handed in again, with the new time.
        """
        if self._size != reading.size and min(self._size) > 0:
            scale = np.divide(reading.size, self._size)
            for one in self._digits:
                one.box = one.box * np.hstack([scale, scale])
        self._size = reading.size
        gone = self._follow(reading)
        return gone + self._join(reading.time)

    def _follow(self, reading: Reading) -> list[Event]:
        """Digits are matched, and their evidence and links grow; what went with another sheet is told."""
        found = [digit for number in reading.numbers for digit in number.digits]
        if len(found) > MOST:
            least = sorted((digit.confidence for digit in found), reverse=True)[MOST - 1]
            found = [digit for digit in found if digit.confidence >= least][:MOST]
        seen = np.array([digit.box for digit in found], np.float64).reshape(-1, 4)
        values = np.array([digit.value for digit in found], np.intp)
        digits = self._digits
        boxes = np.array([one.box for one in digits], np.float64).reshape(-1, 4)
        boxes = motion.moved(boxes, np.array([one.shown for one in digits], np.intp), seen, values)
        # A glyph over two settled digits is both of them joined, and says nothing of either.
        shared = intersections(boxes, seen)
        settled = np.array([one.settled and not one.nothing for one in digits], np.bool_)
        under = settled[:, np.newaxis] & (shared > COVERED * (boxes[:, 2] * boxes[:, 3])[:, np.newaxis])
        barred = None
        if (joined := under.sum(axis=0) > 1).any():
            barred = settled[:, np.newaxis] & joined & (iou(boxes, seen) < COVERED)
        rows, columns, shares = motion.pairs(boxes, seen, barred)
        which = dict(zip(columns.tolist(), (digits[row] for row in rows), strict=True))
        for one, box in zip(digits, boxes, strict=True):
            one.box = box
            one.frames += 1
            one.missed += 1
        for (column, one), share in zip(which.items(), shares.tolist(), strict=True):
            one.box = one.box + (seen[column] - one.box) * share / 2  # the less alike, the less it counts
            one.seen += 1
            one.missed = 0
        for column in range(len(found)):
            if column not in which and len(digits) < MOST:
                which[column] = DigitTrack(seen[column])
                digits.append(which[column])
        said = logs(values, np.array([digit.confidence for digit in found]))
        told = {one: said[column] for column, one in which.items()}
        # At the edge of the picture a digit may be cut: what is read there is no evidence.
        boxes = np.array([one.box for one in digits], np.float64).reshape(-1, 4)
        for one, whole in zip(digits, self._clear(boxes).tolist(), strict=True):
            one.clear = whole
        read = {one: int(values[column]) for column, one in which.items()}
        for one, value in read.items():
            one.against = one.against + 1 if one.clear and value != one.shown else 0
            if one.settled and one.against >= AFRESH:
                one.begin()
        of = {id(found[column]): one for column, one in which.items()}
        gone: list[Event] = []
        if self._scene.left(digits, read):
            gone = self._leave(reading, of)
            digits = self._digits
        clear = [one for one in digits if one.clear]
        take(clear, np.array([told.get(one, UNSEEN) for one in clear]).reshape(-1, NONE + 1))
        self._vote(reading, of)
        self._digits = [one for one in digits if one.missed <= self._patience(one)]
        alive = set(self._digits)
        self._links = {
            pair: link for pair, link in self._links.items() if pair[0] in alive and pair[1] in alive
        }
        return gone

    def _leave(self, reading: Reading, which: dict[int, DigitTrack]) -> list[Event]:
        """Forget the sheet that is gone; a number stays if another one has all of its places and no more."""
        together = [{which.get(id(digit)) for digit in number.digits} for number in reading.numbers]
        events = []
        for known in list(self._known.values()):
            if {one for one, _, _ in known.parts} in together:
                continue
            del self._known[known.id]
            events += known.gone(reading.time)
        self._digits = list(which.values())
        for one in self._digits:
            if one.against:
                one.begin()
            if one.number not in self._known:
                one.number = 0
        self._links = {}
        return events

    def _vote(self, reading: Reading, which: dict[int, DigitTrack]) -> None:
        """Which digits this reading has in one number, and which not."""
        here: set[DigitTrack] = set()
        together: set[tuple[DigitTrack, DigitTrack]] = set()
        for number in reading.numbers:
            signs = _signs(number)
            row = [
                (which[id(digit)], sign)
                for digit, sign in zip(number.digits, signs, strict=True)
                if id(digit) in which
            ]
            here.update(one for one, _ in row)
            # What is not settled between two settled digits does not part them.
            for chain in (row, [part for part in row if part[0].settled and not part[0].nothing]):
                for (left, _), (right, sign) in pairwise(chain):
                    if (left, right) not in together:
                        together.add((left, right))
                        self._links.setdefault((left, right), PairLink()).vote(True, sign)
        for pair, link in self._links.items():
            if pair not in together and pair[0] in here and pair[1] in here:
                link.vote(False)

    def _join(self, time: float) -> list[Event]:
        """Digits that belong together are a number, the one that most of them were before."""
        events = []
        chains: dict[int, list[DigitTrack]] = {}
        told = {known.id for known in self._known.values() if known.text}
        real = [one for one in self._digits if not one.nothing and one.missed <= GONE]
        found, spare = chained(real, self._links, told)
        self._digits = [one for one in self._digits if one not in spare]
        place = {one: count for count, one in enumerate(self._digits)}
        new = []
        for chain in sorted(found, key=lambda chain: (-len(chain), place[chain[0]])):
            votes = [one.number for one in chain if one.number in self._known and one.number not in chains]
            if votes:
                chains[max(votes, key=lambda id_: (votes.count(id_), -id_))] = chain
            else:
                new.append(chain)
        for chain in sorted(new, key=lambda chain: place[chain[0]]):
            self._count += 1
            self._known[self._count] = _Known(self._count)
            chains[self._count] = chain
        for id_, chain in chains.items():
            known = self._known[id_]
            for one in chain:
                one.number = id_
            kind = self._settle(known, chain)
            if kind is not None:
                before, known.text = known.text, _text(known.parts)
                events.append(known.event(kind, time, before))
        for known in list(self._known.values()):
            known.age += 1
            known.lost = 0 if known.id in chains else known.lost + 1
            if min((one.missed for one, _, _ in known.parts), default=GONE + 1) > GONE or known.lost > HOLD:
                del self._known[known.id]
                events += known.gone(time)
        return sorted(events, key=lambda event: event.id)

    def _settle(self, known: _Known, chain: list[DigitTrack]) -> Literal["appeared", "changed"] | None:
        """Bring a number up to date with its digits; returns what is to be told of it."""
        links = [self._links[pair] for pair in pairwise(chain)]
        now = _parts(chain, links)
        if known.text:
            # What is still being settled beside a steady number is not yet part of it.
            firm = [one for one in chain if one.settled]
            if 0 < len(firm) < len(chain):
                between = [self._links.get(pair, PairLink()) for pair in pairwise(firm)]
                if all(link.signs for link in between):
                    now, links = _parts(firm, between), between
        settled = all(one.sure for one, _, _ in now) and all(link.settled for link in links)
        whole = all(one.clear for one, _, _ in now) and all(one.clear for one, _, _ in known.parts)
        if not known.text:
            known.parts = now
            seen = all(one.missed == one.against == 0 for one in chain)
            known.steady = settled and whole and seen and known.age + 1 >= YOUNG and not self._doubted(chain)
            return "appeared" if known.steady else None
        text = _text(now)
        if text == known.text:
            known.waited, known.parts = 0, now
            known.steady = whole and all(one.sure for one in chain if one.settled)
            return None
        known.waited = known.waited + 1 if text == known.pending else 1
        known.pending = text
        if known.waited < HOLD:
            return None
        known.steady = False
        if whole:
            known.parts = now
        seen = all(one.missed == one.against == 0 for one in chain)
        if not (settled and whole and seen and len(now) == len(chain)):
            return None
        if self._doubted(chain):
            return None
        known.waited, known.parts, known.steady = 0, now, True
        return "changed"

    def _doubted(self, chain: list[DigitTrack]) -> bool:
        """Whether a digit outside may yet turn out to belong to the chain."""
        inside = set(chain)
        return any(
            link.score > 0 and (left in inside) != (right in inside) and not (left.nothing or right.nothing)
            for (left, right), link in self._links.items()
        )

    def _patience(self, one: DigitTrack) -> int:
        """Frames that a digit may be missed before it is forgotten."""
        if not one.clear:
            return AWAY if one.settled else 2
        return GONE if one.settled and not one.nothing else 2

    def _clear(self, boxes: Floats) -> npt.NDArray[np.bool_]:
        """Which boxes (N, 4) are clear of the picture's edges."""
        margin = 1 + BORDER * boxes[:, 3:]
        near, far = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        return np.asarray(((near >= margin) & (far <= self._size - margin)).all(axis=1), np.bool_)


def _parts(chain: list[DigitTrack], links: list[PairLink]) -> list[_Part]:
    return [
        (one, one.shown, sign) for one, sign in zip(chain, ["", *(link.sign for link in links)], strict=True)
    ]


def _text(parts: list[_Part]) -> str:
    return "".join(f"{sign}{value}" for _, value, sign in parts)


def _signs(number: Number) -> list[str]:
    """What stands before each digit of the number in its text."""
    signs = [""]
    for sign in number.text:
        if sign.isdigit():
            signs.append("")
        else:
            signs[-1] += sign
    return signs[:-1]


def _whole(box: Floats) -> Box:
    x, y, width, height = box.tolist()
    left, top = round(x), round(y)
    return left, top, max(1, round(x + width) - left), max(1, round(y + height) - top)


def _middle(box: Box) -> float:
    return box[1] + box[3] / 2
