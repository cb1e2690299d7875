"""One writer with one pen: digits, numbers, letters, signs and words on a canvas."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from digitlens.core.arrays import Doubles, Gray
from digitlens_train.paper import ink, shapes
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.ink import Glyph, Shape
from digitlens_train.paper.marks import Marks
from digitlens_train.paper.material import Indices, Material

Source = Literal["writer", "mnist", "small", "font", "drawn"]

SOURCES: dict[Source, float] = {"writer": 0.42, "mnist": 0.22, "small": 0.05, "font": 0.06, "drawn": 0.25}
"""Share of the hands whose digits mostly come from a source; `small` are optdigits and semeion."""
COARSE = 90.0
"""Height above which optdigits' and semeion's few pixels show, in pixels."""
NEAT_PENS = (0.05, 0.14)
"""Least and largest width of a neat writer's pen, heights of a digit."""
TIGHTEST = 0.6
"""How far a number is reduced to fit, before it loses digits."""


@dataclass
class Style:
    """What a writer does with some digits: each with a probability of 0 to 1 at every digit.

    `pitch` is the distance of the signs' middles in heights, of those who give every sign the same room, as
    on squared paper; 0 of the others.
    """

    crossed_seven: float
    slashed_zero: float
    linked_zeros: float
    plain_one: float
    upstroke: float
    foot: float
    pitch: float

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Style":
        """That of any writer."""
        return cls(
            crossed_seven=0.9 if random.random() < 0.25 else 0.0,
            slashed_zero=0.8 if random.random() < 0.06 else 0.0,
            linked_zeros=0.8 if random.random() < 0.12 else 0.0,
            plain_one=0.7 if random.random() < 0.3 else 0.05,
            upstroke=float(random.random() < 0.5),
            foot=float(random.random() < 0.25),
            pitch=random.uniform(0.65, 1.05) if random.random() < 0.12 else 0.0,
        )


@dataclass
class Hand(Marks):
    """One writer with one pen; lengths in heights of the writing unless they say pixels.

    Attributes:
        height: of a digit, in pixels.
        pen: its width in pixels.
        dark: 0.25..1.
        unrest: how much characters vary, 0..1.
        gap: between two digits of a number; negative ones overlap.
        space: between two numbers, in pixels: enough to tell them apart.
        repens: whether pictures of digits are written by this pen, and not by their own.
    """

    source: Source
    writer: dict[int, Indices]
    font: dict[str, Gray]
    style: Style
    slant: float
    stretch: float
    gap: float
    drift: float
    seed: int

    @classmethod
    def draw(
        cls,
        random: np.random.Generator,
        material: Material,
        height: float,
        pen: float | None = None,
        dark: float | None = None,
        source: Source | None = None,
        neat: bool = False,
    ) -> "Hand":
        """Any writer, with digits `height` pixels tall; what is given is not left to chance.

        A `neat` one writes with care: an even hand, a firm dark pen, digits that mostly stand apart.
        """
        if pen is None:
            low, high = (0.035, 0.16) if random.random() < 0.82 else (0.02, 0.3)
            if neat:
                low, high = NEAT_PENS
            pen = height * float(np.exp(random.uniform(np.log(low), np.log(high))))
        if dark is None:
            dark = random.uniform(0.6, 1.0) if neat or random.random() < 0.7 else random.uniform(0.25, 0.6)
        if source is None or not _has(material, source):
            has = {name: share for name, share in SOURCES.items() if _has(material, name)}
            if height > COARSE or neat:
                has.pop("small", None)
            shares = np.cumsum(list(has.values()))
            source = list(has)[int(np.searchsorted(shares, random.random() * shares[-1], "right"))]
        k = int(np.searchsorted((0.04, 0.66, 0.92) if neat else (0.18, 0.72, 0.92), random.random()))
        gap = random.uniform(*((-0.12, 0.03), (0.03, 0.2), (0.18, 0.4), (0.4, 0.8))[k])
        writers, fonts, style = material.writers, material.hand_fonts, Style.draw(random)
        return cls(
            random=random,
            material=material,
            height=height,
            pen=max(0.5, pen),
            dark=dark,
            unrest=random.uniform(0.05, 0.5 if neat else 1.0),
            space=height * (max(gap, style.pitch - 0.3, 0.0) + random.uniform(0.6, 1.6)),
            source=source,
            writer=writers[int(random.integers(len(writers)))] if writers else {},
            font=fonts[int(random.integers(len(fonts)))] if fonts else {},
            style=style,
            slant=float(np.clip(random.normal(0.08, 0.1 if neat else 0.16), -0.4, 0.6)),
            stretch=float(np.exp(random.normal(-0.03, 0.13))),
            gap=gap,
            drift=random.uniform(0, 0.06),
            repens=bool(random.random() < 0.6),
            seed=int(random.integers(2**31)),
        )

    def digit(
        self,
        canvas: Canvas,
        value: int,
        x: float,
        y: float,
        height: float | None = None,
        kind: Kind = Kind.DIGIT,
    ) -> float:
        """Write a digit with its top left at x, y; its width in pixels. No truth is recorded."""
        height = height or self.height
        glyph = self._glyph(value)
        self._paint(canvas, kind, glyph, x, y, height)
        return self._wide(glyph, height)

    def number(
        self,
        canvas: Canvas,
        text: str,
        x: float,
        y: float,
        height: float | None = None,
        max_width: float | None = None,
        record: bool = True,
        kind: Kind = Kind.DIGIT,
    ) -> float:
        """Write a number, separators included, with its top left at x, y; its width in pixels.

        Now and then another number of as many digits is written, as UNIPEN's writers wrote it. A number
        wider than `max_width` is written closer, then smaller, then without its last digits. What was
        written is recorded, unless `kind` is not Kind.DIGIT.
        """
        height = height or self.height
        glyphs = self._string(text) or self._characters(text)
        if not glyphs:
            return 0.0
        steps = self._steps([glyph for _, _, glyph in glyphs], height)
        if max_width is not None:
            glyphs, steps, height = self._fitted(glyphs, steps, height, max_width)
        at, places = x, []
        rise = self.random.normal(0, 0.02) * height
        for (character, own, glyph), step in zip(glyphs, steps, strict=True):
            drop = self.random.normal(0, self.drift) * height + rise * (at - x) / height
            tall = height * float(np.exp(self.random.normal(0, 0.07 * self.unrest)))
            self._paint(canvas, kind if own is Kind.DIGIT else own, glyph, at, y + drop + height - tall, tall)
            wide = self._wide(glyph, height)
            places.append((character, (at, y + drop + height - tall, wide, tall)))
            at += wide + step * height
        width = at - steps[-1] * height - x
        if record and kind is Kind.DIGIT:
            top = min(y + height, *(place[1] for _, place in places))
            bottom = max(y, *(place[1] + place[3] for _, place in places))
            text = "".join(character for character, _ in places)
            canvas.record(text, (x, top, width, bottom - top), characters=places)
        return width

    def _steps(self, glyphs: list[Glyph], height: float) -> list[float]:
        """The gap after each glyph; with a pitch every sign, a point too, has as much room as a digit."""
        steps = [self._step() for _ in glyphs]
        if self.style.pitch:
            wide = [self._wide(glyph, height) / height for glyph in glyphs]
            for k, (one, other) in enumerate(pairwise(wide)):
                steps[k] += max(0.0, self.style.pitch - (one + other) / 2) - self.gap
        return steps

    def _step(self) -> float:
        return self.gap + float(self.random.normal(0, 0.05 + 0.03 * self.unrest))

    def _fitted(
        self, glyphs: list[tuple[str, Kind, Glyph]], steps: list[float], height: float, room: float
    ) -> tuple[list[tuple[str, Kind, Glyph]], list[float], float]:
        full, wide = height, self._width(glyphs, steps, height)
        while wide > room:
            if max(steps) > 0.02:
                close = [min(step, 0.02) for step in steps]
                spare = max(0.0, room - self._width(glyphs, close, height)) / (
                    height * max(1, len(steps) - 1)
                )
                steps = [min(step, low + spare) for step, low in zip(steps, close, strict=True)]
            for _ in range(6):  # the pen does not shrink as much as the height
                height *= min(1.0, room / self._width(glyphs, steps, height))
            if height >= TIGHTEST * full or len(glyphs) == 1:
                break
            glyphs, steps, height = glyphs[:-1], steps[:-1], full
            wide = self._width(glyphs, steps, height)
        return glyphs, steps, height

    def _width(self, glyphs: list[tuple[str, Kind, Glyph]], steps: list[float], height: float) -> float:
        """Of a number in pixels."""
        inked = sum(self._wide(glyph, height) for _, _, glyph in glyphs)
        return max(1.0, inked + height * sum(steps[:-1]))

    def _characters(self, text: str) -> list[tuple[str, Kind, Glyph]]:
        glyphs: list[tuple[str, Kind, Glyph]] = []
        k = 0
        while k < len(text):
            zeros = len(text) - k - len(text[k:].lstrip("0"))
            if zeros > 1 and self.random.random() < self.style.linked_zeros:
                zeros = min(zeros, 3)
                linked = ink.from_shape(Shape.join(shapes.linked_zeros(self.random, zeros)), self.slant)
                glyphs.append(("0" * zeros, Kind.DIGIT, linked))
                k += zeros
                continue
            character = text[k]
            if character.isdigit():
                glyphs.append((character, Kind.DIGIT, self._glyph(int(character))))
            elif not character.isspace():
                glyphs.append((character, Kind.WRITING, self._sign(character)))
            k += 1
        return glyphs

    def _string(self, text: str) -> list[tuple[str, Kind, Glyph]]:
        """A number as one of UNIPEN's writers wrote it, in one piece; empty mostly."""
        strings = self.material.strings
        if strings is None or self.source not in ("writer", "drawn") or not text.isdigit() or len(text) < 2:
            return []
        if self.random.random() > 0.1:
            return []
        numbers = self.material.plain_strings.get(len(text))
        if numbers is None:
            return []
        index = int(numbers[self.random.integers(len(numbers))])
        shape = strings.shape(index)
        if float(shape.points[:, 0].max()) > 1.6 * len(text):
            return []
        return [(strings.labels[index], Kind.DIGIT, ink.from_shape(shape))]

    def _glyph(self, value: int) -> Glyph:
        random, style = self.random, self.style
        slant = self.slant + float(random.normal(0, 0.05 * self.unrest))
        stretch = self.stretch * float(np.exp(random.normal(0, 0.07 * self.unrest)))
        if value == 1 and random.random() < style.plain_one:
            upstroke, foot = random.random() < style.upstroke, random.random() < style.foot
            return ink.from_shape(Shape.join(shapes.one(random, upstroke, foot)), slant * 0.6, stretch)
        source = self.source if random.random() > 0.08 else "drawn"
        glyph = self._shape(source, value, slant, stretch)
        crossed = glyph.shape is not None and len(glyph.shape.ends) > 1
        if value == 7 and not crossed and random.random() < style.crossed_seven:
            glyph.add(self._bar(glyph))
        elif value == 0 and random.random() < style.slashed_zero:
            reach = random.uniform(-0.05, 0.15)
            glyph.add(np.array([[-reach, 1.0 + reach / 2], [glyph.width + reach, -reach / 2]]))
        return glyph

    def _bar(self, glyph: Glyph) -> Doubles:
        """The bar through the stem of a 7."""
        level = self.random.uniform(0.45, 0.62)
        middle = glyph.width * (0.95 - level * 0.6)
        if glyph.shape is not None:
            points = glyph.shape.points
            near = np.argsort(np.abs(points[:, 1] - level))[:2]
            middle = float(points[near, 0].mean())
        half, tilt = self.random.uniform(0.12, 0.28), self.random.normal(0.02, 0.03)
        return np.array([[middle - half, level + tilt], [middle + half, level - tilt]])

    def _shape(self, source: Source, value: int, slant: float, stretch: float) -> Glyph:
        random, material = self.random, self.material
        if source == "writer" and material.digits is not None:
            own = self.writer.get(value)
            if own is None:
                own = material.digits.by_label.get(str(value))
            if own is not None:
                shape = material.digits.shape(int(own[random.integers(len(own))]))
                return ink.from_shape(shape, slant - self.slant * 0.6, stretch)
        if source == "font" and self.font:
            return ink.from_picture(self.font[str(value)], slant - self.slant * 0.5, stretch)
        if source in ("mnist", "small") and material.pictures:
            pictures = material.pictures[0 if source == "mnist" else 1 + self.seed % 2]
            chosen = pictures.by_digit[value]
            if len(chosen):
                picture = pictures.images[int(chosen[random.integers(len(chosen))])]
                narrow = pictures.narrow or 1.0
                return ink.from_picture(picture, slant - self.slant * 0.6, stretch * narrow)
        style = self.seed if random.random() < 0.8 else int(random.integers(2**31))
        return ink.from_shape(material.drawn(value, style, int(random.integers(64))), slant, stretch)


def _has(material: Material, source: Source) -> bool:
    if source == "writer":
        return bool(material.writers)
    if source == "font":
        return bool(material.hand_fonts)
    return source == "drawn" or len(material.pictures) > (source == "small") * 2
