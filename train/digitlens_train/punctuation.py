"""Punctuation between, before and after digits: dots, dashes, currency symbols, strokes.

A mark is a list of polylines, x and y in digit heights, y 0 in a digit's middle and 0.5 at its feet, with its
class.
"""

import numpy as np
import numpy.typing as npt

from digitlens.rows.recognizer import BRACKET, COLON, DASH, EQUALS, PLUS, POINT, SLASH, SYMBOL, TIMES

Line = npt.NDArray[np.float64]
Mark = tuple[list[Line], int]
"""A sign's lines and its class."""


def separator(random: np.random.Generator) -> Mark:
    """A dot, comma, dash, equals sign, colon, slash, plus or multiplication sign between digits."""
    kinds = (POINT, DASH, EQUALS, COLON, SLASH, PLUS, TIMES)
    return sign(random, kinds[int(random.choice(7, p=(0.5, 0.15, 0.06, 0.05, 0.1, 0.08, 0.06)))])


def dot_or_comma(random: np.random.Generator) -> Mark:
    """A separator of thousands."""
    return (_dot if random.random() < 0.75 else _comma)(random), POINT


def ending(random: np.random.Generator) -> Mark:
    """The end of an amount: dashes, an equals sign, dots, a wavy line."""
    makers = (
        (_dash, DASH),
        (_equals, EQUALS),
        (_dot, POINT),
        (_wave, DASH),
        (_comma, POINT),
        (_dot_dash, DASH),
    )
    maker, label = (*makers, (_colon, COLON))[
        int(random.choice(7, p=(0.22, 0.34, 0.12, 0.08, 0.06, 0.12, 0.06)))
    ]
    return maker(random), label


def symbol(random: np.random.Generator) -> Mark:
    """A symbol that is neither digit nor separator: a currency's, a hash, a star, a cross."""
    maker = (_dollar, _hash, _star, _cross, _euro)[int(random.integers(5))]
    return maker(random), TIMES if maker in (_star, _cross) else SYMBOL


def sign(random: np.random.Generator, label: int) -> Mark:
    """A sign of one class between digits, by digitlens.rows.recognizer."""
    if label == POINT:
        lines = (_dot if random.random() < 0.68 else _comma)(random)
        raised = random.random() < 0.12  # a decimal point at mid-height
        return [line - [0, random.uniform(0.3, 0.5) * raised] for line in lines], label
    makers = {DASH: _dash, EQUALS: _equals, COLON: _colon, SLASH: _slash, PLUS: _plus, TIMES: _cross}
    if label == TIMES and random.random() < 0.15:
        return [line - [0, random.uniform(0.3, 0.5)] for line in _dot(random)], POINT
    return makers[label](random), label


def bracket(random: np.random.Generator, closing: bool) -> Mark:
    """An opening or closing bracket."""
    tall, deep = random.uniform(0.5, 0.75), random.uniform(0.1, 0.3)
    y = np.linspace(-tall, tall, 9)
    if random.random() < 0.15:
        curve = _line((deep, -tall), (0, -tall), (0, tall), (deep, tall))
    else:
        curve = np.stack([deep * (y / tall) ** 2, y + random.normal(0, 0.05)], axis=1)
    shaky = curve + random.normal(0, 0.01, curve.shape)
    return [shaky * np.array([-1.0 if closing else 1.0, 1.0])], BRACKET


def _line(*points: tuple[float, float]) -> Line:
    return np.array(points, np.float64)


def _dot(random: np.random.Generator) -> list[Line]:
    y, reach = 0.45 + random.normal(0, 0.07), random.uniform(0, 0.05)
    return [_line((0, y), (reach, y + random.normal(0, 0.02)))]


def _comma(random: np.random.Generator) -> list[Line]:
    y, reach = 0.42 + random.normal(0, 0.06), random.uniform(0.1, 0.35)
    return [_line((0.0, y), (-0.1 * reach, y + 0.5 * reach), (-random.uniform(0.2, 0.7) * reach, y + reach))]


def _dash(random: np.random.Generator) -> list[Line]:
    y, reach, tilt = random.normal(0.05, 0.12), random.uniform(0.2, 0.7), random.normal(0, 0.05)
    return [_line((0, y), (reach / 2, y + random.normal(0, 0.02)), (reach, y + tilt))]


def _equals(random: np.random.Generator) -> list[Line]:
    """Two dashes, at any height, alike or not; or in one stroke, nearly a z."""
    reach, y, tilt = random.uniform(0.1, 0.6), random.uniform(-0.35, 0.3), random.normal(-0.04, 0.07)
    lines = []
    for x, down in ((0.0, 0.0), (random.normal(0, 0.06), random.uniform(0.1, 0.35))):
        far = reach * np.exp(random.normal(0, 0.15))
        rise = tilt + random.normal(0, 0.03)
        lines.append(_line((x, y + down), (x + far / 2, y + down + rise / 2), (x + far, y + down + rise)))
    return [np.concatenate(lines)] if random.random() < 0.2 else lines


def _colon(random: np.random.Generator) -> list[Line]:
    return [_line((0, y), (0.03, y)) for y in (-0.1 + random.normal(0, 0.05), 0.35 + random.normal(0, 0.05))]


def _slash(random: np.random.Generator) -> list[Line]:
    """Longer or flatter than any 1."""
    reach = random.uniform(0.15, 0.8)
    beyond = random.uniform(0.12 if reach < 0.4 else 0.0, 0.35)
    return [_line((reach, -0.5 - beyond), (reach / 2 + random.normal(0, 0.03), 0), (0, 0.5 + beyond))]


def _plus(random: np.random.Generator) -> list[Line]:
    wide, tall = random.uniform(0.18, 0.42, 2)
    middle, lean = random.normal(0.05, 0.08), random.normal(0, 0.04)
    lines = [_line((-wide, middle), (wide, middle + random.normal(0, 0.04)))]
    lines.append(_line((lean, middle - tall), (-lean, middle + tall)))
    if random.random() < 0.15:  # without lifting the pen
        return [np.concatenate([lines[1], lines[0]])]
    return lines


def _dot_dash(random: np.random.Generator) -> list[Line]:
    """A dot and a dash."""
    return [*_dot(random), _dash(random)[0] + [random.uniform(0.1, 0.3), 0]]


def _wave(random: np.random.Generator) -> list[Line]:
    steps = int(random.integers(4, 14))
    x = np.linspace(0, random.uniform(0.5, 2.5), steps)
    return [np.stack([x, random.normal(0, 0.1) + random.normal(0, 0.06, steps)], axis=1)]


def _dollar(random: np.random.Generator) -> list[Line]:
    t = np.linspace(0, 1, 12)
    wide = random.uniform(0.18, 0.3)
    curve = np.stack([-wide * np.sin(2 * np.pi * t), t - 0.5], axis=1)
    lines = [curve + random.normal(0, 0.02, curve.shape)]
    for x in (0.0,) if random.random() < 0.6 else (-0.06, 0.06):
        lean = random.normal(0, 0.05)
        lines.append(_line((x + lean, -random.uniform(0.5, 0.75)), (x - lean, random.uniform(0.5, 0.75))))
    return lines


def _hash(random: np.random.Generator) -> list[Line]:
    lean = random.uniform(0, 0.2)
    upright = [_line((x + lean, -0.4), (x - lean, 0.4)) for x in (-0.12, 0.12)]
    level = [_line((-0.35, y), (0.35, y - random.uniform(0, 0.1))) for y in (-0.12, 0.14)]
    return [line + random.normal(0, 0.03, line.shape) for line in (*upright, *level)]


def _star(random: np.random.Generator) -> list[Line]:
    radius, turn = random.uniform(0.15, 0.35), random.uniform(0, np.pi)
    angles = turn + np.arange(3) * np.pi / 3
    tips = [radius * np.array([np.cos(angle), np.sin(angle)]) for angle in angles]
    return [np.stack([-tip, tip]) + random.normal(0, 0.02, (2, 2)) for tip in tips]


def _cross(random: np.random.Generator) -> list[Line]:
    side = random.uniform(0.2, 0.4)
    lines = [_line((-side, -side), (side, side)), _line((side, -side), (-side, side))]
    return [line + random.normal(0, 0.04, line.shape) for line in lines]


def _euro(random: np.random.Generator) -> list[Line]:
    angles = np.linspace(0.7, 2 * np.pi - 0.7, 10)
    curve = np.stack([0.35 * np.cos(angles), 0.48 * np.sin(angles)], axis=1)
    bars = [_line((-0.5, y), (0.15, y)) for y in (-0.1, 0.1)]
    return [line + random.normal(0, 0.02, line.shape) for line in (curve, *bars)]
