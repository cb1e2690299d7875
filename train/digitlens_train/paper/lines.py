"""The lines of a page: ruled by hand or by machine, full, dashed, dotted or double."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from digitlens_train.paper.canvas import Canvas, Points
from digitlens_train.paper.classes import Kind

Pattern = Literal["full", "dashed", "dotted", "double"]
Place = tuple[float, float]


@dataclass
class Lines:
    """How a page's lines look.

    Attributes:
        thickness: in pixels.
        dark: 0..1.
        by_hand: whether they are drawn by hand: uneven, beyond their corners or short of them.
    """

    random: np.random.Generator
    thickness: float
    dark: float
    by_hand: bool
    pattern: Pattern

    @classmethod
    def draw(cls, random: np.random.Generator, pen: float | None = None) -> "Lines":
        """Lines of any page; those by hand are as thick as `pen`, in pixels, if it is given."""
        by_hand = bool(random.random() < 0.2)
        if by_hand:
            thickness = (pen or random.uniform(1, 4)) * random.uniform(0.7, 1.2)
            return cls(random, max(0.7, thickness), random.uniform(0.4, 0.95), True, "full")
        thickness = float(np.exp(random.uniform(np.log(0.6), np.log(6))))
        shares = (0.9, 0.04, 0.03, 0.03)
        patterns: tuple[Pattern, ...] = ("full", "dashed", "dotted", "double")
        pattern = patterns[int(np.searchsorted(np.cumsum(shares[:-1]), random.random()))]
        return cls(random, thickness, random.uniform(0.12, 0.95), False, pattern)

    def line(self, canvas: Canvas, a: Place, b: Place, thickness: float | None = None) -> None:
        """A straight line from a to b, as straight as these lines are."""
        pen = thickness or self.thickness
        start, end = np.array(a, np.float64), np.array(b, np.float64)
        length = float(np.hypot(*(end - start)))
        if length < 1:
            return
        if self.by_hand:
            canvas.polyline(Kind.LINE, self._wavering(start, end, length), pen, self._darkness())
        elif self.pattern == "double":
            across = np.array([start[1] - end[1], end[0] - start[0]]) / length * max(1.5 * pen, 2.0)
            for side in (across, -across):
                canvas.polyline(Kind.LINE, np.stack([start + side, end + side]), 0.6 * pen, self.dark)
        elif self.pattern == "full":
            canvas.polyline(Kind.LINE, np.stack([start, end]), pen, self.dark)
        else:
            self._broken(canvas, start, end, length, pen)

    def box(self, canvas: Canvas, x0: float, y0: float, x1: float, y1: float) -> None:
        """A rectangle of four lines."""
        corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        if self.by_hand:
            loose = self.random.normal(0, 0.025 * min(abs(x1 - x0), abs(y1 - y0)), (4, 2)).tolist()
            corners = tuple((x + dx, y + dy) for (x, y), (dx, dy) in zip(corners, loose, strict=True))  # type: ignore[assignment]
        for k in range(4):
            self.line(canvas, corners[k], corners[(k + 1) % 4])

    def ring(self, canvas: Canvas, x: float, y: float, radius: float) -> None:
        """A circle around x, y; by hand a loop that closes beside its beginning."""
        count = int(min(60, max(12, radius)))
        turn = 2 * np.pi * (self.random.uniform(0.95, 1.12) if self.by_hand else 1.0)
        angle = self.random.uniform(0, 2 * np.pi) + np.linspace(0, turn, count + 1)
        far = np.full(count + 1, float(radius))
        if self.by_hand:
            far *= 1 + 0.08 * np.sin(angle + self.random.uniform(0, 6)) + np.linspace(0, 0.05, count + 1)
        points = np.stack([x + far * np.cos(angle), y + far * np.sin(angle)], axis=1)
        canvas.polyline(Kind.LINE, points, self.thickness, self._darkness())

    def _darkness(self) -> float:
        return self.dark * float(self.random.uniform(0.85, 1.0)) if self.by_hand else self.dark

    def _wavering(self, start: Points, end: Points, length: float) -> Points:
        """(N, 2) from near start to near end."""
        count = max(3, min(30, int(length / 40)))
        along = np.linspace(0, 1, count)[:, np.newaxis]
        loose = self.random.normal(0, min(4.0, 0.02 * length), (2, 2))
        ends = start + loose[0], end + loose[1]
        sway = np.cumsum(self.random.normal(0, min(0.8, 0.004 * length), (count, 2)), axis=0)
        return np.asarray(ends[0] + (ends[1] - ends[0]) * along + sway, np.float64)

    def _broken(self, canvas: Canvas, start: Points, end: Points, length: float, pen: float) -> None:
        dotted = self.pattern == "dotted"
        step = max(2.2 * pen, 4.0) if dotted else max(6 * pen, 12.0)
        count = max(1, int(length / step))
        part = 0.0 if dotted else 0.55
        pieces = [start + (end - start) * np.array([[k], [k + part]]) / count for k in range(count)]
        canvas.polylines(Kind.LINE, pieces, pen, self.dark)
