"""Kinds of paper that are hard to read, drawn by the training's own generator, with the numbers on them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from digitlens.core.arrays import Gray
from digitlens_train.paper import geometry
from digitlens_train.paper.camera import take
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.hand import Hand
from digitlens_train.paper.lines import Lines
from digitlens_train.paper.material import Material, Pictures

HEIGHT = 60.0
"""Of the writing, in px, but for tables and thick pens."""
CLOSE, WIDE = (0.08, 0.3), (0.25, 0.55)
"""Least and largest gap between the digits of a number, and where signs stand between them, in heights."""
FLAT = replace(geometry.PAGE, turn=0.3, perspective=0.0015, bent=0.0)
"""A camera straight above flat paper: the kind of paper is what is hard here, not the photograph."""


@dataclass(frozen=True)
class Drawn:
    """A picture (H, W) uint8 and the numbers on it, with their signs."""

    gray: Gray
    numbers: list[str]


class Writer:
    """Someone who writes with digits of MNIST, each time by another hand and pen."""

    def __init__(self, digits: tuple[Gray, Gray], random: np.random.Generator) -> None:
        images, labels = digits
        of_each = [np.flatnonzero(labels == value) for value in range(10)]
        self.material = Material(pictures=[Pictures(images, of_each)])
        self.random = random

    def digits(self, count: int) -> str:
        return "".join(map(str, self.random.integers(0, 10, count)))

    def hand(self, height: float = HEIGHT, gap: tuple[float, float] = CLOSE) -> Hand:
        """A hand whose digits are `gap` apart, in heights."""
        random = self.random
        pen, dark = height * random.uniform(0.07, 0.14), random.uniform(0.75, 1.0)
        hand = Hand.draw(random, self.material, height, pen, dark, "mnist")
        hand.gap = random.uniform(*gap)
        return hand

    def lines(self) -> Lines:
        return Lines(self.random, self.random.uniform(2, 4), self.random.uniform(0.5, 0.9), False, "full")

    def photo(self, canvas: Canvas, height: float = HEIGHT) -> Gray:
        """All of a canvas, in good light."""
        size = canvas.height, canvas.width
        return take(canvas, self.random, size, FLAT, height, mild=True).gray


def comb(writer: Writer, boxes: int = 8, filled: int = 8, room: int = 0) -> Drawn:
    """Joined boxes with a digit in each of the first, on a page larger by `room` px."""
    side, tall = 100, 110
    canvas = Canvas(190 + room, 80 + side * boxes + room)
    left, top = 40 + room // 2, 40 + room // 2
    lines, hand, text = writer.lines(), writer.hand(), writer.digits(filled)
    for k in range(boxes):
        lines.box(canvas, left + k * side, top, left + (k + 1) * side, top + tall)
    for k, value in enumerate(text):
        across, down = writer.random.uniform((20, 18), (34, 32))
        hand.digit(canvas, int(value), left + k * side + across, top + down)
    return Drawn(writer.photo(canvas), [text])


def comb_turned(writer: Writer) -> Drawn:
    """The same on a page that is turned by up to 4 degrees."""
    straight = comb(writer, room=800)
    height, width = straight.gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), writer.random.uniform(-4, 4), 1)
    gray = cv2.warpAffine(straight.gray, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return Drawn(np.asarray(gray, np.uint8), straight.numbers)


def table(writer: Writer, margin: int) -> Drawn:
    """Five rows of four cells with two digits each, `margin` px around them."""
    rows, columns, wide, tall, height = 5, 4, 150, 100, 40.0
    canvas = Canvas(rows * tall + 2 * margin, columns * wide + 2 * margin)
    right, bottom = margin + columns * wide, margin + rows * tall
    lines, hand, numbers = writer.lines(), writer.hand(height), []
    for row in range(rows + 1):
        lines.line(canvas, (margin, margin + row * tall), (right, margin + row * tall))
    for column in range(columns + 1):
        lines.line(canvas, (margin + column * wide, margin), (margin + column * wide, bottom))
    for row in range(rows):
        for column in range(columns):
            numbers.append(writer.digits(2))
            across, down = writer.random.uniform((20, 20), (45, 40))
            hand.number(canvas, numbers[-1], margin + column * wide + across, margin + row * tall + down)
    return Drawn(writer.photo(canvas, height), numbers)


def row(writer: Writer, text: str, gap: tuple[float, float] = CLOSE) -> Drawn:
    """A row of digits and signs on blank paper."""
    canvas = Canvas(170, 160 + 70 * len(text))
    writer.hand(gap=gap).number(canvas, text, 60, 55)
    return Drawn(writer.photo(canvas), [text])


def number(writer: Writer, count: int) -> Drawn:
    """A number of `count` digits on blank paper."""
    return row(writer, writer.digits(count))


def addition(writer: Writer) -> Drawn:
    """A digit, + or x, two digits and =."""
    sign = "+x"[int(writer.random.integers(2))]
    return row(writer, f"{writer.digits(1)}{sign}{writer.digits(2)}=", WIDE)


def date(writer: Writer) -> Drawn:
    """A day, a month and a year with slashes between them."""
    return row(writer, f"{writer.digits(1)}/{writer.digits(2)}/{writer.digits(2)}", WIDE)


def raised_point(writer: Writer) -> Drawn:
    """Two digits, a point at mid-height, a digit."""
    canvas, hand = Canvas(170, 480), writer.hand()
    before, after = writer.digits(2), writer.digits(1)
    left, right = writer.random.uniform(*WIDE, 2) * HEIGHT
    x, y = 60.0, 55.0
    x += hand.number(canvas, before, x, y) + left
    dot = np.array([[x, y + 0.52 * HEIGHT]])
    canvas.polyline(Kind.WRITING, dot, hand.pen * writer.random.uniform(1.2, 1.8), hand.dark)
    hand.number(canvas, after, x + right, y)
    return Drawn(writer.photo(canvas), [f"{before}.{after}"])


def thick_pen(writer: Writer) -> Drawn:
    """A digit across the picture by a pen of 60 to 140 px."""
    canvas, height = Canvas(960, 1280), 720.0
    pen, text = writer.random.uniform(60, 140), writer.digits(1)
    hand = Hand.draw(writer.random, writer.material, height, pen, 0.9, "drawn")
    hand.digit(canvas, int(text), *writer.random.uniform((300, 80), (500, 160)))
    return Drawn(writer.photo(canvas, height), [text])


def hard_shadow(writer: Writer) -> Drawn:
    """A number across the edge of a shadow that leaves 0.45 of the light."""
    drawn = number(writer, 5)
    light = np.ones(drawn.gray.shape, np.float32)
    light[:, int(drawn.gray.shape[1] * writer.random.uniform(0.3, 0.7)) :] = 0.45
    shaded = drawn.gray * cv2.GaussianBlur(light, (0, 0), 3)
    return Drawn(np.round(shaded).astype(np.uint8), drawn.numbers)


def dark_panel(writer: Writer) -> Drawn:
    """A number on light paper, and below it a light one on a dark panel."""
    above, below = writer.digits(4), writer.digits(4)
    page, panel = Canvas(420, 560), Canvas(170, 460)
    writer.hand().number(page, above, 70, 60)
    writer.hand().number(panel, below, 60, 55)
    gray = writer.photo(page)
    gray[220:390, 40:500] = 255 - writer.photo(panel)
    return Drawn(gray, [above, below])


def turned(writer: Writer, quarters: int) -> Drawn:
    """A number on a page that is turned by quarters, counterclockwise."""
    upright = number(writer, 6)
    return Drawn(np.ascontiguousarray(np.rot90(upright.gray, quarters)), upright.numbers)


KINDS: dict[str, Callable[[Writer], Drawn]] = {
    "comb": comb,
    "comb_on_a_large_page": partial(comb, room=1000),
    "comb_turned": comb_turned,
    "comb_with_few_filled": partial(comb, boxes=16, filled=4, room=400),
    "table": partial(table, margin=200),
    "table_with_a_wide_margin": partial(table, margin=800),
    "sum": addition,
    "date": date,
    "point_at_mid_height": raised_point,
    "thick_pen": thick_pen,
    "hard_shadow": hard_shadow,
    "dark_panel": dark_panel,
    "turned_left": partial(turned, quarters=1),
    "turned_right": partial(turned, quarters=3),
    "upside_down": partial(turned, quarters=2),
}
"""All kinds by name."""


def drawn(kind: str, digits: tuple[Gray, Gray], count: int, seed: int = 0) -> list[Drawn]:
    """`count` pictures of a kind, always the same."""
    seeds = ([seed, *kind.encode(), number] for number in range(count))
    return [KINDS[kind](Writer(digits, np.random.default_rng(one))) for one in seeds]
