"""Digits followed from frame to frame: matched, with evidence and links that grow."""

from collections.abc import Set
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.arrays import Doubles, Gray
from digitlens.core.boxes import intersections, iou
from digitlens.core.readings import Digit, Number, Reading
from digitlens.live.evidence import (
    NO_DIGIT,
    DigitTrack,
    PairLink,
    accumulate,
    log_likelihoods,
    unseen_log_likelihoods,
)
from digitlens.live.looks import noise_variance
from digitlens.live.motion import match_boxes, moved_boxes
from digitlens.live.scene import SceneChangeDetector


class Matches(msgspec.Struct, frozen=True):
    """The digits of one frame, matched.

    `tracks` has the track of each digit by the digit's id(), `digits` the digit of each track,
    `evidence` the log-likelihoods (11,) of each track that was seen, `scene_changed` whether another sheet is
    there.
    """

    tracks: dict[int, DigitTrack]
    digits: dict[DigitTrack, Digit]
    evidence: dict[DigitTrack, Doubles]
    scene_changed: bool


class DigitTracks:
    """The digits that are followed, and the links between them; `match`, then `learn`, for every frame."""

    def __init__(self, parameters: TrackingParameters) -> None:
        self.digits: list[DigitTrack] = []
        self.links: dict[tuple[DigitTrack, DigitTrack], PairLink] = {}
        self._parameters = parameters
        self._size = (0, 0)
        self._scene = SceneChangeDetector(parameters)
        self._unseen = unseen_log_likelihoods(parameters)

    def match(self, reading: Reading) -> Matches:
        """Move the tracks to the digits of the next frame; digits without a track begin one."""
        parameters = self._parameters
        self._rescale(reading.size)
        found = _most_confident(reading, parameters.max_digits)
        seen = np.array([digit.box for digit in found], np.float64).reshape(-1, 4)
        values = np.array([digit.value for digit in found], np.intp)
        boxes = moved_boxes(
            self._boxes(), np.array([one.likeliest for one in self.digits], np.intp), seen, values, parameters
        )
        rows, columns, overlaps = match_boxes(boxes, seen, parameters, self._joined(boxes, seen))
        tracks = dict(zip(columns.tolist(), (self.digits[row] for row in rows), strict=True))
        for one, box in zip(self.digits, boxes, strict=True):
            one.box = box
            one.frames += 1
            one.missed += 1
        for (column, one), overlap in zip(tracks.items(), overlaps.tolist(), strict=True):
            one.box = one.box + (seen[column] - one.box) * overlap * parameters.box_step
            one.seen += 1
            one.missed = 0
        for column in range(len(found)):
            if column not in tracks and len(self.digits) < parameters.max_digits:
                tracks[column] = DigitTrack(seen[column], parameters)
                self.digits.append(tracks[column])
        confidences = np.array([digit.confidence for digit in found])
        evidence = log_likelihoods(values, confidences, parameters)
        for one, is_inside in zip(self.digits, self._inside(self._boxes()).tolist(), strict=True):
            one.is_inside = is_inside
        read = {one: int(values[column]) for column, one in tracks.items()}
        for one, value in read.items():
            one.contradictions = one.contradictions + 1 if one.is_inside and value != one.likeliest else 0
            if one.is_settled and one.contradictions >= parameters.restart_frames:
                one.restart()
        return Matches(
            {id(found[column]): one for column, one in tracks.items()},
            {one: found[column] for column, one in tracks.items()},
            {one: evidence[column] for column, one in tracks.items()},
            self._scene.changed(self.digits, read),
        )

    def move(self, matrix: Doubles) -> None:
        """Move the boxes by an affine map (2, 3) of the last reading's pixels."""
        boxes = self._boxes()
        sizes = boxes[:, 2:] * np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        corners = (boxes[:, :2] + boxes[:, 2:] / 2) @ matrix[:, :2].T + matrix[:, 2] - sizes / 2
        for one, box in zip(self.digits, np.hstack([corners, sizes]), strict=True):
            one.box = box

    def keep_only(self, tracks: dict[int, DigitTrack], numbers: Set[int]) -> None:
        """Forget the sheet before: digits but for `tracks`, all links, and all numbers but for `numbers`."""
        self.digits = list(tracks.values())
        for one in self.digits:
            if one.contradictions:
                one.restart()
            if one.number not in numbers:
                one.number = 0
        self.links = {}

    def learn(self, reading: Reading, matches: Matches, gray: Gray | None = None) -> None:
        """Add the matched frame's evidence to digits and links; forget digits that were missed too long.

        `gray` (h, w) uint8 is the frame; without it all frames are one look at each digit.
        """
        # At the edge of the picture a digit may be cut: its value there is no evidence.
        inside = [one for one in self.digits if one.is_inside]
        frame = [matches.evidence.get(one, self._unseen) for one in inside]
        accumulate(inside, np.array(frame).reshape(-1, NO_DIGIT + 1), self._parameters)
        self._look(reading, matches, gray)
        self._vote(reading, matches.tracks)
        self.digits = [one for one in self.digits if one.missed <= self._patience(one)]
        alive = set(self.digits)
        self.links = {
            pair: link for pair, link in self.links.items() if pair[0] in alive and pair[1] in alive
        }

    def link(self, left: DigitTrack, right: DigitTrack) -> PairLink:
        """The link between two digits; a new one without any votes where there is none."""
        return self.links.get((left, right)) or PairLink(self._parameters)

    def may_grow(self, chain: list[DigitTrack]) -> bool:
        """Whether a digit outside the chain may yet turn out to belong to it."""
        inside = set(chain)
        return any(
            link.score > 0 and (left in inside) != (right in inside) and not (left.is_noise or right.is_noise)
            for (left, right), link in self.links.items()
        )

    def _rescale(self, size: tuple[int, int]) -> None:
        if self._size != size and min(self._size) > 0:
            scale = np.divide(size, self._size)
            for one in self.digits:
                one.box = one.box * np.hstack([scale, scale])
        self._size = size

    def _boxes(self) -> Doubles:
        return np.array([one.box for one in self.digits], np.float64).reshape(-1, 4)

    def _joined(self, boxes: Doubles, seen: Doubles) -> npt.NDArray[np.bool_] | None:
        """Pairs (N, M) of a settled digit and a glyph over two of these, which is evidence of neither."""
        share = self._parameters.max_overlap
        settled = np.array([one.is_settled and not one.is_noise for one in self.digits], np.bool_)
        areas = (boxes[:, 2] * boxes[:, 3])[:, np.newaxis]
        under = settled[:, np.newaxis] & (intersections(boxes, seen) > share * areas)
        joined = under.sum(axis=0) > 1
        if not joined.any():
            return None
        return np.asarray(settled[:, np.newaxis] & joined & (iou(boxes, seen) < share), np.bool_)

    def _look(self, reading: Reading, matches: Matches, gray: Gray | None) -> None:
        """Add this frame to the looks at each digit; one at the edge may be cut, and is no look."""
        noise = 0.0 if gray is None else noise_variance(gray)
        scale = np.ones(4) if gray is None else np.tile(np.divide(gray.shape[::-1], reading.size), 2)
        for one, digit in matches.digits.items():
            if one.is_inside or not one.looks.count:
                box = np.array(digit.box, np.float64) * scale
                one.looks.take(digit.value, digit.confidence, reading.time, gray, box, noise)

    def _vote(self, reading: Reading, tracks: dict[int, DigitTrack]) -> None:
        """Which digits this reading has in one number, and which not."""
        here: set[DigitTrack] = set()
        together: set[tuple[DigitTrack, DigitTrack]] = set()
        for number in reading.numbers:
            signs = _signs(number)
            row = [
                (tracks[id(digit)], sign)
                for digit, sign in zip(number.digits, signs, strict=True)
                if id(digit) in tracks
            ]
            here.update(one for one, _ in row)
            for one, _ in row:
                one.is_printed = number.printed
            # An unsettled digit between two settled ones does not separate them.
            for chain in (row, [part for part in row if part[0].is_settled and not part[0].is_noise]):
                for (left, _), (right, sign) in pairwise(chain):
                    if (left, right) not in together:
                        together.add((left, right))
                        self.links.setdefault((left, right), PairLink(self._parameters)).vote(True, sign)
        for pair, link in self.links.items():
            if pair not in together and pair[0] in here and pair[1] in here:
                link.vote(False)

    def _patience(self, one: DigitTrack) -> int:
        """Frames that a digit may be missed before it is forgotten."""
        parameters = self._parameters
        if not one.is_inside:
            return parameters.edge_forget_frames if one.is_settled else parameters.unsettled_forget_frames
        real = one.is_settled and not one.is_noise
        return parameters.forget_frames if real else parameters.unsettled_forget_frames

    def _inside(self, boxes: Doubles) -> npt.NDArray[np.bool_]:
        """Which boxes (N, 4) are clear of the picture's edges."""
        margin = 1 + self._parameters.edge_margin * boxes[:, 3:]
        near, far = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        return np.asarray(((near >= margin) & (far <= self._size - margin)).all(axis=1), np.bool_)


def _most_confident(reading: Reading, most: int) -> list[Digit]:
    """The reading's digits in order; of too many, those with the highest confidence."""
    found = [digit for number in reading.numbers for digit in number.digits]
    if len(found) > most:
        least = sorted((digit.confidence for digit in found), reverse=True)[most - 1]
        found = [digit for digit in found if digit.confidence >= least][:most]
    return found


def _signs(number: Number) -> list[str]:
    """The sign before each digit of the number in its text; empty for none."""
    signs = [""]
    for sign in number.text:
        if sign.isdigit():
            signs.append("")
        else:
            signs[-1] += sign
    return signs[:-1]
