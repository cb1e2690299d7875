"""Numbers drawn on a picture: each framed and labeled; doubt shows by form, not by color alone.

A solid frame and a filled label are a number that is sure. A dashed frame and an outlined label with a
question mark and the confidence are one in doubt, its doubtful digits underlined. Dots, and a question mark
apart, are a number that is still being read.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np

from digitlens.core.arrays import Doubles, Pixels
from digitlens.core.boxes import intersections
from digitlens.core.confidence import percent
from digitlens.core.readings import Box, Digit, Number
from digitlens.core.tracking import Tracked
from digitlens.images.label_layout import (
    CAPITAL,
    FONT,
    InkMap,
    Item,
    Label,
    Spot,
    frame,
    lay_out,
    pen,
    spot_of,
    text_size,
    thickness,
)

Color = tuple[int, int, int]
Look = Literal["sure", "doubtful", "unsteady"]

SURE = 0.9
"""Confidence from which a digit or a number is shown as sure, a probability."""
STEADY: Color = (40, 120, 0)
"""Color of a sure number, BGR."""
DOUBTFUL: Color = (0, 110, 230)
"""Color of a doubtful number, BGR."""
UNSTEADY: Color = (0, 190, 255)
"""Color of an unsteady number, BGR."""
RIM: Color = (20, 20, 20)
"""Color of rims and of the ground of labels in doubt, BGR: no other color shows on every paper."""
INK: Color = (255, 255, 255)
"""Color of a filled label's text, BGR."""
LEGEND: tuple[tuple[Look, str], ...] = (
    ("sure", "read"),
    ("doubtful", "in doubt ? %, digit underlined"),
    ("unsteady", "still being read ?"),
)
"""What the forms mean."""
RELABEL = 15
"""Pictures after which labels look for better places though their numbers are the same."""


class Mark(NamedTuple):
    """A number on the canvas: its box, how it looks, and the boxes of its doubtful digits."""

    box: Box
    look: Look
    doubts: tuple[Box, ...]


class Plan(NamedTuple):
    """What is drawn: the numbers, and by their ids the text, its doubtful places, and the label."""

    marks: dict[int, Mark]
    texts: dict[int, tuple[str, tuple[int, ...]]]
    labels: dict[int, Label]


class Planner:
    """Plans the labels of successive pictures, and keeps them in their places."""

    def __init__(self) -> None:
        self._spots: dict[int, Spot] = {}
        self._planned: object = None
        self._labels: dict[int, Label] = {}
        self._age = 0

    def plan(
        self,
        shape: tuple[int, int],
        numbers: Sequence[Tracked],
        size: tuple[int, int],
        image: Pixels | None = None,
        place: Box | None = None,
    ) -> Plan:
        """The plan of a canvas.

        Args:
            shape: width and height that numbers and labels may take.
            numbers: their boxes are in pixels of a picture of `size`.
            size: width and height.
            image: the picture, of any size, whose ink labels keep clear of; None knows of none.
            place: the picture's box on the canvas; None is all of it.
        """
        x, y, w, h = place or (0, 0, *shape)

        def on_canvas(box: Box) -> Box:
            left, top, wide, tall = box
            corner = round(x + left * w / size[0]), round(y + top * h / size[1])
            return *corner, round(wide * w / size[0]), round(tall * h / size[1])

        marks, texts, items = {}, {}, []
        for one in numbers:
            look = look_of(one)
            doubtful = [digit for digit in one.number.digits if digit.confidence < SURE]
            doubts = tuple(on_canvas(digit.box) for digit in doubtful) if look == "doubtful" else ()
            box = on_canvas(one.number.box)
            marks[one.id] = Mark(box, look, doubts)
            texts[one.id] = label_text(one)
            items.append(Item(one.id, box, texts[one.id][0], one.number.box[3] * h / size[1]))
        self._age += 1
        planned = shape, place, texts
        if planned != self._planned or self._age >= RELABEL or self._collide(marks, shape):
            items.sort(key=lambda item: marks[item.id].look == "unsteady")  # steady ones choose first
            self._labels = lay_out(shape, items, InkMap(image, (x, y, w, h)), self._spots)
            self._planned, self._age = planned, 0
            thick = thickness(*shape)
            self._spots = {id_: spot_of(label, marks[id_].box, thick) for id_, label in self._labels.items()}
        else:
            self._labels = {id_: self._moved(id_, marks[id_].box, shape) for id_ in self._labels}
        return Plan(marks, texts, self._labels)

    def _moved(self, id_: int, box: Box, shape: tuple[int, int]) -> Label:
        """A label that goes with its number."""
        label, (across, down) = self._labels[id_], self._spots[id_]
        x, y, _, _ = frame(box, thickness(*shape))
        _, _, wide, high = label.box
        left = min(max(0, round(x + across)), max(0, shape[0] - wide))
        top = min(max(0, round(y + down)), max(0, shape[1] - high))
        leader = label.leader
        if leader is not None:
            dx, dy = left - label.box[0], top - label.box[1]
            leader = leader[0] + dx, leader[1] + dy, leader[2] + dx, leader[3] + dy
        return label._replace(box=(left, top, wide, high), leader=leader)

    def _collide(self, marks: dict[int, Mark], shape: tuple[int, int]) -> bool:
        """Whether two labels that went with their numbers would lie on each other, or on a number."""
        if self._labels.keys() != marks.keys():
            return True
        moved = [self._moved(id_, mark.box, shape) for id_, mark in marks.items()]
        labels = _array([label.box for label in moved])
        shared = intersections(labels, labels)
        np.fill_diagonal(shared, 0)
        hidden = intersections(labels, _array([mark.box for mark in marks.values()]))
        areas = (labels[:, 2] * labels[:, 3])[:, np.newaxis]
        return bool((shared > 0.1 * areas).any() or (hidden > 0.3 * areas).any())


def look_of(one: Tracked) -> Look:
    """How a number is drawn."""
    if not one.steady:
        return "unsteady"
    number = one.number
    return "sure" if min(number.confidence, *map(_confidence, number.digits)) >= SURE else "doubtful"


def label_text(one: Tracked) -> tuple[str, tuple[int, ...]]:
    """A number's label, and the places in it of doubtful digits."""
    text, look = one.number.text, look_of(one)
    if look == "sure":
        return text, ()
    if look == "unsteady":
        return f"{text} ?", ()
    digits = iter(one.number.digits)
    doubtful = [
        place for place, sign in enumerate(text) if sign.isdigit() and _confidence(next(digits)) < SURE
    ]
    return f"{text}? {percent(one.number.confidence)}", tuple(doubtful)


def draw(canvas: Pixels, plan: Plan) -> None:
    """Draw a plan on a canvas (H, W, 3) uint8 BGR, in place: frames, leaders, then labels."""
    height, width = canvas.shape[:2]
    thick = thickness(width, height)
    for mark in plan.marks.values():
        _frame(canvas, mark, thick)
    for label in plan.labels.values():
        if label.leader is not None:
            x, y, to_x, to_y = label.leader
            cv2.line(canvas, (x, y), (to_x, to_y), RIM, thick, cv2.LINE_AA)
    for id_, label in plan.labels.items():
        _label(canvas, label, *plan.texts[id_], plan.marks[id_].look, thick)


def draw_legend(canvas: Pixels, plan: Plan, image: Pixels) -> None:
    """Say what the forms of the plan mean, in a corner where nothing is; not at all where there is none."""
    height, width = canvas.shape[:2]
    looks = {mark.look for mark in plan.marks.values()}
    entries = [(look, text) for look, text in LEGEND if look in looks]
    if looks <= {"sure"}:
        return
    tall = max(10, round(min(width, height) / 45))
    size, step = tall / CAPITAL, round(1.9 * tall)
    wide = max(text_size(text, size)[0] for _, text in entries) + 4 * tall
    high = step * len(entries) + tall
    edge = tall // 2
    corners = [(x, y) for y in (height - high - edge, edge) for x in (edge, width - wide - edge)]
    spots = _array([(x, y, wide, high) for x, y in corners if min(x, y) >= 0])
    if not len(spots):
        return
    drawn = [mark.box for mark in plan.marks.values()] + [label.box for label in plan.labels.values()]
    hidden = intersections(spots, _array(drawn)).sum(axis=1)
    hidden += InkMap(image, (0, 0, width, height)).under(spots) * wide * high
    if hidden.min() > 0.06 * wide * high:
        return
    x, y = (round(float(side)) for side in spots[int(np.argmin(hidden)), :2])
    cv2.rectangle(canvas, (x, y), (x + wide, y + high), INK, -1)
    cv2.rectangle(canvas, (x, y), (x + wide, y + high), RIM, 1)
    for line, (look, text) in enumerate(entries):
        top = y + tall // 2 + line * step
        draw_sample(canvas, look, (x + tall, top + tall // 4, 2 * tall, tall))
        write(canvas, text, (x + round(3.7 * tall), top + round(1.3 * tall)), size, RIM)


def draw_sample(canvas: Pixels, look: Look, box: Box) -> None:
    """Draw a frame around a box that shows a look, in a legend."""
    _frame(canvas, Mark(box, look, ()), max(1, box[3] // 10))


def write(canvas: Pixels, text: str, at: tuple[int, int], size: float, ink: Color) -> None:
    """Write a text with the left end of its baseline at `at`."""
    cv2.putText(canvas, text, at, FONT, size, ink, pen(size), cv2.LINE_AA)


def _frame(canvas: Pixels, mark: Mark, thick: int) -> None:
    box = frame(mark.box, thick)
    x, y, width, height = box
    if mark.look == "sure":
        cv2.rectangle(canvas, (x, y), (x + width, y + height), STEADY, thick)
    elif mark.look == "doubtful":
        for start, end in _dashes(box, 6 * thick):
            cv2.line(canvas, start, end, DOUBTFUL, thick)
        for left, _, wide, _ in mark.doubts:
            bar = (left, y + height), (left + wide, y + height + 2 * thick)
            cv2.rectangle(canvas, *bar, DOUBTFUL, -1)
    else:
        step = 7 * thick + 1  # rims do not touch
        dots = [(x + along, side) for along in range(0, width, step) for side in (y, y + height)]
        dots += [(side, y + along) for along in range(0, height, step) for side in (x, x + width)]
        for color, radius in ((RIM, thick + 1), (UNSTEADY, thick)):
            for dot in dots:
                cv2.circle(canvas, dot, radius, color, -1)


def _dashes(box: Box, length: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The dashes of a frame, half of each side open."""
    x, y, width, height = box
    found = []
    for start in range(0, width, 2 * length):
        end = min(start + length, width)
        found += [((x + start, side), (x + end, side)) for side in (y, y + height)]
    for start in range(0, height, 2 * length):
        end = min(start + length, height)
        found += [((side, y + start), (side, y + end)) for side in (x, x + width)]
    return found


def _label(
    canvas: Pixels, label: Label, text: str, doubtful: tuple[int, ...], look: Look, thick: int
) -> None:
    left, top, wide, tall = label.box
    corners = (left, top), (left + wide, top + tall)
    ink = {"sure": INK, "doubtful": DOUBTFUL, "unsteady": UNSTEADY}[look]
    cv2.rectangle(canvas, *corners, STEADY if look == "sure" else RIM, -1)
    if look != "sure":
        cv2.rectangle(canvas, *corners, ink, thick)
    base = top + tall - label.margin
    write(canvas, text, (left + label.margin, base), label.size, INK if look == "doubtful" else ink)
    under = max(1, pen(label.size))
    for place in doubtful:
        start = left + label.margin + text_size(text[:place], label.size)[0] * (place > 0)
        end = left + label.margin + text_size(text[: place + 1], label.size)[0]
        cv2.line(canvas, (start, base + under + 1), (end - 1, base + under + 1), DOUBTFUL, under)


def _confidence(digit: Digit) -> float:
    return digit.confidence


def still(numbers: Sequence[Number]) -> list[Tracked]:
    """The numbers of a picture that does not move, to be drawn."""
    return [Tracked(place, number, True, 0) for place, number in enumerate(numbers)]


def _array(boxes: Sequence[Box]) -> Doubles:
    return np.array(boxes, np.float64).reshape(-1, 4)
