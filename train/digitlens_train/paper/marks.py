"""What a hand writes besides digits: letters, signs, words, scribbles, tallies, struck-out numbers."""

import math
from dataclasses import dataclass

import numpy as np

from digitlens_train.paper import ink, shapes
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.ink import Glyph, Shape
from digitlens_train.paper.material import LIKE_DIGITS, Material, Trajectories

SIGNS = "+-/()=.,:x*<>%?!$#"
"""What `sign` writes if none is named."""
TALL_SIGNS = frozenset("/()%$#?!&@[]{}")
"""Signs as tall as digits; others keep the size and place that people give them."""
OWN_SIGNS = frozenset(".,:-x\u2713")
"""Signs that are always drawn, since trajectories lack their size or are labelled wrongly."""


@dataclass
class Marks:
    """A pen and what it writes that is no digit; all of it is Kind.WRITING."""

    random: np.random.Generator
    material: Material
    height: float
    pen: float
    dark: float
    unrest: float
    space: float
    repens: bool

    def letter(
        self, canvas: Canvas, x: float, y: float, height: float | None = None, which: str | None = None
    ) -> float:
        """A single letter, or now and then one of another alphabet; its width in pixels."""
        height = height or self.height
        glyph = self._letter(which)
        self._paint(canvas, Kind.WRITING, glyph, x, y, height)
        return self._wide(glyph, height)

    def sign(
        self, canvas: Canvas, which: str | None, x: float, y: float, height: float | None = None
    ) -> float:
        """A sign, any if `which` is None, where it belongs beside digits `height` tall at y; its width."""
        height = height or self.height
        glyph = self._sign(which or SIGNS[int(self.random.integers(len(SIGNS)))])
        self._paint(canvas, Kind.WRITING, glyph, x, y, height)
        return self._wide(glyph, height)

    def word(
        self, canvas: Canvas, x: float, y: float, height: float | None = None, max_width: float | None = None
    ) -> float:
        """A word, from its ascenders to its descenders about `height` tall; its width in pixels.

        One that is wider than `max_width` is written smaller.
        """
        height = height or self.height
        words = self.material.words
        tall = height * self.random.uniform(0.8, 1.4)
        room = None if max_width is None else max_width / tall
        if words is not None and self.random.random() < 0.85:
            glyph = self._written(words, room)
        else:
            paths = shapes.nonsense(self.random, int(self.random.integers(3, 9)))
            glyph = ink.from_shape(Shape.fit(paths, np.inf), float(self.random.normal(0.1, 0.2)))
        if room is not None and glyph.width > room:
            tall *= room / glyph.width
        top = y + height - tall * self.random.uniform(0.75, 1.0)
        self._paint(canvas, Kind.WRITING, glyph, x, top, tall)
        return self._wide(glyph, tall)

    def scribble(self, canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
        """A wandering pen, or one that goes back and forth, over width x height pixels at x, y."""
        shape = shapes.scribble if self.random.random() < 0.5 else shapes.zigzag
        self._draw(canvas, shape(self.random, width, height), x, y, 1.0)

    def strike(self, canvas: Canvas, box: tuple[float, float, float, float]) -> None:
        """Strike out what stands in a box, x, y, width, height in pixels."""
        x, y, wide, tall = box
        random = self.random
        kind = int(random.integers(4))
        if kind == 0:  # a cross
            paths = [np.array([[0, 0], [wide, tall]]), np.array([[0, tall], [wide, 0]], float)]
        elif kind == 1:
            paths = shapes.zigzag(random, wide, tall * 0.7)
            y += 0.15 * tall
        else:
            slope = random.normal(0, 0.3 if kind == 2 else 0.06) * tall
            paths = []
            for level in random.uniform(0.3, 0.7, kind - 1):
                over = random.uniform(0.02, 0.25, 2) * tall
                ends = [[-over[0], level * tall + slope / 2], [wide + over[1], level * tall - slope / 2]]
                paths.append(np.array(ends))
        self._draw(canvas, paths, x, y, 1.0)

    def tally(self, canvas: Canvas, x: float, y: float, height: float | None = None, count: int = 5) -> float:
        """Tally marks, each fifth across the four before it; the width in pixels."""
        height = height or self.height
        random = self.random
        pitch, lean = height * random.uniform(0.18, 0.4), random.normal(0.05, 0.08) * height
        paths, at = [], 0.0
        for k in range(count):
            low, high = random.normal(0, 0.05 * height, 2)
            if k % 5 == 4 and random.random() < 0.95:
                left, right = at - 4.6 * pitch, at - 0.2 * pitch
                paths.append(np.array([[left, 0.8 * height + low], [right, 0.2 * height + high]]))
                at += 0.6 * pitch
            else:
                paths.append(np.array([[at + lean, low], [at - lean, height + high]]))
                at += pitch * float(np.exp(random.normal(0, 0.12)))
        self._draw(canvas, paths, x, y, 1.0)
        return max(at, pitch)

    def drawing(self, canvas: Canvas, x: float, y: float, size: float) -> None:
        """A shape about `size` x `size` pixels at x, y: an ellipse, an arrow, a spiral, a star, strokes."""
        self._draw(canvas, shapes.drawing(self.random), x, y, size)

    def _draw(self, canvas: Canvas, paths: shapes.Paths, x: float, y: float, scale: float) -> None:
        lines = [path * scale + (x, y) for path in paths]
        canvas.polylines(Kind.WRITING, lines, self.pen, self.dark * self.random.uniform(0.85, 1.0))

    def _paint(self, canvas: Canvas, kind: Kind, glyph: Glyph, x: float, y: float, height: float) -> None:
        """A glyph by this pen, pressed more or less."""
        pen = self._penned(height) * self.random.uniform(0.92, 1.08)
        dark = self.dark * self.random.uniform(0.86, 1.0)
        own = glyph.picture is not None and not self.repens
        ink.paint(canvas, kind, glyph, (x, y), height, 0.0 if own else pen, dark)

    def _penned(self, height: float) -> float:
        """Width of this pen in pixels, finer where the writing is smaller than the hand's."""
        return self.pen * math.pow(min(1.0, height / self.height), 0.7)

    def _wide(self, glyph: Glyph, height: float) -> float:
        return glyph.wide(height, self._penned(height))

    def _letter(self, which: str | None) -> Glyph:
        random, material = self.random, self.material
        slant, stretch = float(random.normal(0, 0.08)), float(np.exp(random.normal(0, 0.08)))
        if which is None and material.symbols and random.random() < 0.1:
            images = material.symbols[int(random.integers(len(material.symbols)))]
            return ink.from_picture(images[int(random.integers(len(images)))], slant, stretch)
        for letters in (
            (material.upper, material.lower) if random.random() < 0.5 else (material.lower, material.upper)
        ):
            if letters is None:
                continue
            own = which or _any(random, letters)
            chosen = letters.by_label.get(own)
            if chosen is not None:
                return ink.from_shape(
                    letters.shape(int(chosen[random.integers(len(chosen))])), slant, stretch
                )
        if which is not None and which in shapes.SIGN_PATHS:
            return ink.from_shape(Shape.fit(shapes.sign(random, which)))
        return ink.from_shape(Shape.fit(shapes.nonsense(random, 1)), slant, stretch)

    def _sign(self, which: str) -> Glyph:
        random, signs = self.random, self.material.signs
        chosen = None if signs is None else signs.by_label.get(which)
        known = which in shapes.SIGN_PATHS
        if signs is None or chosen is None or which in OWN_SIGNS or (known and random.random() < 0.3):
            return ink.from_shape(Shape.join(shapes.sign(random, which)))
        shape = signs.shape(int(chosen[random.integers(len(chosen))]))
        if which in TALL_SIGNS:
            return ink.from_shape(shape)
        size = random.uniform(0.35, 0.65)
        wide, tall = float(shape.points[:, 0].max()), 1.0 - float(shape.points[:, 1].min())
        size /= max(wide, tall)
        middle = 0.55 + random.normal(0, 0.05)
        return ink.from_shape(Shape((shape.points - (0, 1 - tall / 2)) * size + (0, middle), shape.ends))

    def _written(self, words: Trajectories, room: float | None) -> Glyph:
        """Of a few words one that fits `room`, in heights, else the narrowest."""
        few = words.chosen[self.random.integers(len(words.chosen), size=1 if room is None else 6)]
        aspects = words.aspects[few]
        fitting = np.flatnonzero(aspects <= room) if room is not None else np.arange(1)
        k = int(fitting[0]) if len(fitting) else int(np.argmin(aspects))
        return ink.from_shape(words.shape(int(few[k])), float(self.random.normal(0, 0.08)))


def _any(random: np.random.Generator, letters: Trajectories) -> str:
    usable = [label for label in letters.by_label if label not in LIKE_DIGITS]
    return usable[int(random.integers(len(usable)))]
