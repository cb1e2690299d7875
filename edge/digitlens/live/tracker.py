"""Readings over time -> steady readings, and an event when a number appears, changes or disappears."""

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.readings import Box, Reading
from digitlens.core.tracking import Event, Tracked
from digitlens.live.chains import ACROSS, Direction, chain_digits, reading_direction
from digitlens.live.digits import DigitTracks, Matches
from digitlens.live.evidence import DigitTrack
from digitlens.live.followed import Evidence, FollowedNumber, Read
from digitlens.numbers.order import reading_order


class Tracker:
    """Follows the numbers of a camera's readings; knows no clock but the readings'.

    A digit's log-probabilities add up from frame to frame. A number is steady once all its digits are
    settled and belong together; single frames that read it otherwise do not change it.
    """

    def __init__(self, parameters: TrackingParameters | None = None) -> None:
        self._parameters = parameters or TrackingParameters()
        self._tracks = DigitTracks(self._parameters)
        self._numbers: dict[int, FollowedNumber] = {}
        self._count = 0  # numbers so far: the last id
        self._direction = ACROSS
        self._ordered: list[tuple[int, str]] = []  # ids and texts that `_order` puts in order
        self._order: list[int] = []
        self._age = 0  # of that order

    @property
    def numbers(self) -> tuple[Tracked, ...]:
        """The numbers of now, steady or not, in reading order; boxes in the last reading's pixels."""
        shown = [
            Tracked(one.id, one.number(), one.steady, one.age)
            for one in self._numbers.values()
            if one.is_shown
        ]
        texts = [(one.id, one.number.text) for one in shown]
        self._age += 1
        if texts != self._ordered or self._age >= self._parameters.order_frames:
            boxes = [[_upright(digit.box, self._direction) for digit in one.number.digits] for one in shown]
            self._ordered, self._age, self._order = texts, 0, reading_order(boxes)
        return tuple(shown[place] for place in self._order)

    @property
    def is_in_doubt(self) -> bool:
        """Whether a number is not steady, or was not read so in the last frame; edges of pictures apart."""
        return any(one.is_in_doubt for one in self._numbers.values() if one.is_shown or one.text)

    def follow(self, matrix: Doubles) -> None:
        """Move all that is followed by an affine map (2, 3), as the paper moved since the last reading."""
        self._tracks.move(matrix)

    def evidence(self) -> dict[int, Evidence]:
        """What the confidence of each number is made of, by its id."""
        return {one.id: one.evidence() for one in self._numbers.values() if one.is_shown}

    def update(self, reading: Reading, gray: Gray | None = None) -> list[Event]:
        """Take the next frame's reading; returns the events of steady numbers, in the order of their ids.

        For a picture that has not changed, hand in its reading again with the new time.

        Args:
            reading: of the frame.
            gray: the frame, (h, w) uint8 of any size: tells by how much this look differs from those before;
                None makes all frames one look, which adds nothing to the confidence of the first.
        """
        matches = self._tracks.match(reading)
        gone = self._leave(reading, matches) if matches.scene_changed else []
        self._tracks.learn(reading, matches, gray)
        read = {
            tuple(matches.tracks[id(digit)] for digit in found.digits): found
            for found in reading.numbers
            if all(id(digit) in matches.tracks for digit in found.digits)
        }
        return gone + self._join(read, reading.time)

    def _leave(self, reading: Reading, matches: Matches) -> list[Event]:
        """Forget the sheet before; a number stays if one of the new sheet has exactly its places."""
        together = [{matches.tracks.get(id(digit)) for digit in number.digits} for number in reading.numbers]
        events = []
        for number in list(self._numbers.values()):
            if {one.digit for one in number.parts} in together:
                continue
            del self._numbers[number.id]
            events += number.end(reading.time)
        self._tracks.keep_only(matches.tracks, self._numbers.keys())
        return events

    def _join(self, read: Read, time: float) -> list[Event]:
        """Join digits to numbers, each the one that most of its digits belonged to."""
        events = []
        chains = self._chains()
        for id_, chain in chains.items():
            events += self._numbers[id_].update(chain, self._tracks, read, time)
        for number in list(self._numbers.values()):
            number.age += 1
            number.lost = 0 if number.id in chains else number.lost + 1
            parameters = self._parameters
            if number.missed > parameters.forget_frames or number.lost > parameters.change_frames:
                del self._numbers[number.id]
                events += number.end(time)
        return sorted(events, key=lambda event: event.id)

    def _chains(self) -> dict[int, list[DigitTrack]]:
        """The digits of each number, by the number's id; a number begins where there is none yet."""
        tracks, parameters = self._tracks, self._parameters
        reported = {number.id for number in self._numbers.values() if number.text}
        real = [one for one in tracks.digits if not one.is_noise and one.missed <= parameters.forget_frames]
        self._direction = reading_direction(tracks.links)
        found, replaced = chain_digits(real, tracks.links, reported, parameters.max_overlap, self._direction)
        tracks.digits = [one for one in tracks.digits if one not in replaced]
        rank = {one: count for count, one in enumerate(tracks.digits)}
        chains: dict[int, list[DigitTrack]] = {}
        new = []
        for chain in sorted(found, key=lambda chain: (-len(chain), rank[chain[0]])):
            votes = [one.number for one in chain if one.number in self._numbers and one.number not in chains]
            if votes:
                chains[max(votes, key=lambda id_: (votes.count(id_), -id_))] = chain
            else:
                new.append(chain)
        for chain in sorted(new, key=lambda chain: rank[chain[0]]):
            self._count += 1
            self._numbers[self._count] = FollowedNumber(self._count, parameters)
            chains[self._count] = chain
        return chains


def _upright(box: Box, direction: Direction) -> Box:
    """A box as it would stand if the page were turned so that its rows are read to the right."""
    x, y, width, height = box
    if direction == (0, 1):
        return y, -x - width, height, width
    if direction == (-1, 0):
        return -x - width, -y - height, width, height
    if direction == (0, -1):
        return -y - height, x, height, width
    return box
