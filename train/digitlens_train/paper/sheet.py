"""A canvas with the writers, type and lines of one page, and the draws that all layouts share."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.hand import Hand
from digitlens_train.paper.lines import Lines
from digitlens_train.paper.material import Material
from digitlens_train.paper.printing import Printer

T = TypeVar("T")
Segment = tuple[float, float, float, float]

DENSITY = (40.0, 150.0)
"""Glyphs per PATCH, from sparse to full pages."""
NEAT_DENSITY = (25.0, 90.0)
"""The same of neat pages, but for those that hold little."""
SPARSE = 0.25
"""Share of the neat pages that hold 2 to 40 glyphs."""
PATCH = 350 * 350
"""Area of paper in pixels, about that of a training patch."""
WIDTH = 0.68
"""Expected advance of a digit within a number, as a fraction of the writing's height."""


class Cell(NamedTuple):
    """A rectangle of the page: left, top, right, bottom in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.y1 - self.y0

    def inner(self, margin: float) -> "Cell":
        """The cell without a margin in pixels on each side."""
        return Cell(self.x0 + margin, self.y0 + margin, self.x1 - margin, self.y1 - margin)


class Sheet:
    """One page in the making: `height` is the height of its writing in pixels."""

    def __init__(
        self, canvas: Canvas, material: Material, random: np.random.Generator, height: float
    ) -> None:
        self.canvas, self.material, self.random, self.height = canvas, material, random, float(height)
        self.tall, self.wide = (int(side) for side in canvas.tone.shape)
        density = NEAT_DENSITY if canvas.neat else DENSITY
        self.budget = round(self.spread(*density) * max(1.0, self.tall * self.wide / PATCH))
        """Glyphs that may still be written: pages of small writing stay partly empty and cheap to draw."""
        self.ones = bool(random.random() < 0.07) and not canvas.neat
        """Whether most numbers are ones, alone or in rows, as uprights beside the uprights of cells."""
        if canvas.neat and self.chance(SPARSE):
            self.budget = round(self.spread(2, 40))
        self.hand = Hand.draw(random, material, height, neat=canvas.neat)
        self.type = Printer.draw(random, material)
        self.lines = self.ruler()

    # Draws.

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.random.random() < probability)

    def between(self, low: float, high: float) -> float:
        """A uniform draw."""
        return float(self.random.uniform(low, high))

    def spread(self, low: float, high: float) -> float:
        """A log-uniform draw."""
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[int(self.random.integers(len(choices)))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """The things in random order."""
        return [things[k] for k in self.random.permutation(len(things))]

    def thickness(self) -> float:
        """Pixels of a line: from a hairline to a marker's, within a third of the writing's height."""
        if self.canvas.neat:
            return self.spread(0.5, max(0.8, 0.07 * self.height))
        if self.chance(0.75):
            return self.spread(0.3, float(np.clip(0.09 * self.height, 1.2, 5)))
        return self.spread(1, float(np.clip(0.3 * self.height, 2, 12)))

    def writer(self, scatter: float = 0.0) -> Hand:
        """Another writer, of the page's height give or take a factor of exp(scatter)."""
        factor = float(np.exp(self.random.uniform(-scatter, scatter)))
        return Hand.draw(self.random, self.material, self.height * factor, neat=self.canvas.neat)

    def printer(self) -> Printer:
        """Another printed font."""
        return Printer.draw(self.random, self.material)

    def ruler(self, pen: float | None = None) -> Lines:
        """Lines of another look, `pen` pixels thick."""
        thickness = self.thickness() if pen is None else pen
        lines = Lines.draw(self.random, thickness)
        if not lines.by_hand:
            lines.thickness = thickness
        return lines

    # Texts.

    def digits(self, low: int = 1, high: int = 4) -> str:
        """A number of low to high digits; ones, zeros and repeats come more often than by chance."""
        count = self.whole(low, high)
        if count == 4 and self.chance(0.25):
            return str(self.whole(1900, 2060))
        if self.ones and self.chance(0.6):
            return "1" * self.pick((1, 1, 1, low, count))
        if self.chance(0.08):
            return self.pick("0112357") * count
        digits = self.random.integers(0, 10, count)
        if self.chance(0.12):
            digits[self.random.random(count) < 0.5] = 1
        if digits[0] == 0 and count > 1 and self.chance(0.7):
            digits[0] = self.whole(1, 9)
        return "".join(map(str, digits))

    def amount(self) -> str:
        """A number with a sign in it: prices, times, dates, ranges, negative numbers."""
        kind = self.whole(0, 7)
        if kind == 0:
            return f"{self.digits(1, 3)}.{self.digits(1, 2)}"
        if kind == 1:
            return f"{self.digits(1, 3)},{self.digits(2, 2)}"
        if kind == 2:
            return f"{self.whole(0, 23)}:{self.whole(0, 59):02d}"
        if kind == 3:
            return f"-{self.digits(1, 3)}"
        if kind == 4:
            return f"{self.digits(1, 2)}/{self.digits(1, 2)}"
        if kind == 5:
            return f"{self.digits(1, 3)}-{self.digits(1, 3)}"
        mark = self.pick("./-")
        year = self.pick((f"{self.whole(1990, 2040)}", f"{self.whole(0, 40):02d}"))
        return f"{self.whole(1, 31)}{mark}{self.whole(1, 12)}{mark}{year}"

    def text(self, low: int = 1, high: int = 4, signs: float = 0.1) -> str:
        """A number, with a sign in it as often as `signs`."""
        return self.amount() if self.chance(signs) else self.digits(low, high)

    # Ink.

    def seen(self, x: float, y: float, width: float, height: float | None) -> bool:
        """Whether something that wide and high, top left at x, y, is on the page, within the budget."""
        inside = (
            x < self.wide and y < self.tall and x + 1.5 * width > 0 and y + 1.3 * (height or self.height) > 0
        )
        return inside and self.budget > 0

    def length(self, text: str, height: float | None = None, hand: Hand | None = None) -> float:
        """Pixels that a number is expected to be long."""
        hand = hand or self.hand
        return (height or hand.height) * (0.58 * hand.stretch * len(text) + hand.gap * (len(text) - 1))

    def gap(self, low: float, high: float) -> float:
        """Pixels between two numbers: low to high heights, but more than between the digits of one number."""
        return max(self.height * self.spread(low, high), self.hand.space * self.between(0.8, 1.2))

    def write(
        self,
        text: str,
        x: float,
        y: float,
        hand: Hand | None = None,
        height: float | None = None,
        max_width: float | None = None,
    ) -> float:
        """Writes a number, top left at x, y, and gives its width; nothing where the budget is spent."""
        hand = hand or self.hand
        expected = self.length(text, height, hand)
        if not self.seen(x, y, expected, height):
            return expected
        self.budget -= len(text)
        return hand.number(self.canvas, text, x, y, height, max_width)

    def word(self, x: float, y: float, height: float | None = None, max_width: float | None = None) -> float:
        """Writes a word, top left at x, y, and gives its width."""
        if not self.seen(x, y, max_width or 5 * self.height, height):
            return 3 * self.height
        self.budget -= 4
        return self.hand.word(self.canvas, x, y, height, max_width)

    def sign(self, which: str, x: float, y: float, height: float | None = None) -> float:
        """Writes a sign with the page's pen and gives its width."""
        if not self.seen(x, y, self.height, height):
            return 0.4 * self.height
        self.budget -= 1
        return self.hand.sign(self.canvas, which, x, y, height)

    def letter(self, x: float, y: float, height: float | None = None, which: str | None = None) -> float:
        """Writes a letter with the page's pen, any where none is named, and gives its width."""
        if not self.seen(x, y, self.height, height):
            return 0.6 * self.height
        self.budget -= 1
        return self.hand.letter(self.canvas, x, y, height, which)

    def label(
        self, x: float, y: float, height: float, what: str | None = None, max_width: float | None = None
    ) -> float:
        """Prints a label, top left at x, y, and gives its width."""
        if (
            height < 3
            or y > self.tall
            or x > self.wide
            or (max_width is not None and max_width < height * 0.6)
        ):
            return 0.0
        return self.type.text(self.canvas, x, y, height, what, max_width)

    def segments(self, ends: Sequence[Segment], lines: Lines | None = None) -> None:
        """Straight lines, each from x0, y0 to x1, y1; by machine they are painted at once."""
        lines = lines or self.lines
        if lines.by_hand or lines.pattern != "full":
            for x0, y0, x1, y1 in ends:
                lines.line(self.canvas, (x0, y0), (x1, y1))
        elif ends:
            paths = np.array(ends, np.float64).reshape(-1, 2, 2)
            self.canvas.polylines(Kind.LINE, list(paths), lines.thickness, lines.dark)

    def box(self, x0: float, y0: float, x1: float, y1: float, lines: Lines | None = None) -> None:
        """A rectangle by the page's lines or others."""
        lines = lines or self.lines
        if lines.by_hand or lines.pattern != "full":
            lines.box(self.canvas, x0, y0, x1, y1)
        else:
            around = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
            self.canvas.polyline(Kind.LINE, around, lines.thickness, lines.dark)

    def stroke(self, points: Sequence[tuple[float, float]], pen: float | None = None) -> None:
        """A free stroke of handwriting through the points: ticks, arrows, underlines."""
        if self.budget <= 0:
            return
        width = self.spread(0.04, 0.14) * self.height if pen is None else pen
        array = np.asarray(points, np.float64)
        array = array + self.random.normal(0, 0.03 * self.height, array.shape)
        self.canvas.polyline(Kind.WRITING, array, width, self.between(0.4, 1))

    def tick(self, x: float, y: float, size: float) -> None:
        """A tick or a cross of handwriting, `size` pixels high, top left at x, y."""
        if self.chance(0.6):
            self.stroke([(x, y + 0.55 * size), (x + 0.3 * size, y + size), (x + 0.95 * size, y)])
        else:
            self.stroke([(x, y), (x + size, y + size)])
            self.stroke([(x + size, y), (x, y + size)])

    def struck(self, text: str, x: float, y: float, height: float | None = None) -> float:
        """Writes a number and strikes it out: WRITING, and no truth."""
        tall = height or self.height
        if not self.seen(x, y, self.length(text, height), height):
            return self.length(text, height)
        self.budget -= len(text)
        wide = self.hand.number(self.canvas, text, x, y, height, kind=Kind.WRITING)
        self.hand.strike(self.canvas, (x, y, wide, tall))
        return wide

    def fit(self, cell: Cell, hand: Hand | None = None) -> float:
        """A height of writing for the cell: the hand's, or less where the cell is lower."""
        own = (hand or self.hand).height * self.between(0.85, 1.15)
        return max(5.0, min(own, cell.height * self.between(0.6, 0.85 if self.canvas.neat else 1.0)))

    def put(
        self,
        text: str,
        cell: Cell,
        align: str = "center",
        hand: Hand | None = None,
        height: float | None = None,
        stray: float = 0.12,
    ) -> float:
        """Writes a number in a cell: it fits, touches a border now and then, or strays over one.

        `align` is left, center, right or any; `stray` is a probability.
        """
        tall = self.fit(cell, hand) if height is None else height
        expected = min(self.length(text, tall, hand), cell.width)
        free = cell.width - expected
        pull = {"left": 0.05, "center": 0.5, "right": 0.92}.get(align, self.between(0, 1))
        x = cell.x0 + free * float(np.clip(pull + self.random.normal(0, 0.06), 0, 1)) + 0.04 * tall
        y = cell.y0 + (cell.height - tall) * float(np.clip(self.random.normal(0.55, 0.18), 0, 1))
        if self.chance(0.1 * stray if self.canvas.neat else stray):
            x += self.between(-0.4, 0.4) * tall
            y += self.between(-0.35, 0.35) * tall
            return self.write(text, x, y, hand, tall)
        room = cell.x1 - x + (0.1 * tall if self.chance(0.3) else -0.04 * tall)
        return self.write(text, x, y, hand, tall, max(0.3 * tall, room))

    def levels(self, pitch: float) -> list[float]:
        """Heights of lines this far apart, over the whole page."""
        return [
            float(y) for y in np.arange(self.between(-0.4, 1.0) * pitch, self.tall - 0.3 * self.height, pitch)
        ]

    def rows(self, pitch: float, levels: list[float] | None = None) -> list[float]:
        """Tops of rows of writing, the first and last ones cut off now and then.

        They cover the page, or as much of it, at any height, as the budget is enough for.
        """
        levels = self.levels(pitch) if levels is None else levels
        most = max(1, int(self.budget / max(4.0, 0.9 * self.wide / self.height)))
        if len(levels) > most and self.chance(0.5):
            return levels[self.whole(0, 1) :: -(-len(levels) // most)]
        first = self.whole(0, max(0, len(levels) - most))
        return levels[first : first + most]

    def frame(self, margin: float = 0.1) -> Cell:
        """A part of the page within margins of up to `margin` of its sides, at times negative (cut off)."""
        low = -margin if self.chance(0.35) else 0.0
        left, top, right, bottom = (self.between(low, margin) for _ in range(4))
        return Cell(left * self.wide, top * self.tall, (1 - right) * self.wide, (1 - bottom) * self.tall)
