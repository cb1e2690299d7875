"""What reflects the light: paper and its faults, the ink on it, the table top beyond it; 0 black, 1 white."""

from functools import cache
from statistics import NormalDist

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray
from digitlens_train import backgrounds
from digitlens_train.paper.geometry import Size
from digitlens_train.paper.light import smooth


@cache
def _quantiles() -> Floats:
    """256 evenly likely values of the standard normal distribution."""
    return np.array([NormalDist().inv_cdf((step + 0.5) / 256) for step in range(256)], np.float32)


def normal(random: np.random.Generator, size: Size) -> Floats:
    """Standard normal noise (h, w), in 256 steps: ten times as fast as Generator.standard_normal."""
    steps = np.frombuffer(random.bytes(size[0] * size[1]), np.uint8).reshape(size)
    return np.asarray(cv2.LUT(steps, _quantiles()), np.float32)


def paper(random: np.random.Generator, size: Size, clean: bool = False) -> Floats:
    """A blank sheet (h, w): mostly white, 1 in 4 tinted or gray, some dark; `clean` is white office paper."""
    kind = random.random()
    if clean or kind < 0.74:
        level = random.uniform(0.86, 0.98)
    elif kind < 0.9:
        level = random.uniform(0.68, 0.87)
    else:
        level = random.uniform(0.3, 0.68)
    sheet = np.full(size, level, np.float32)
    if clean or random.random() < 0.45:
        return sheet
    grain = smooth(random, size, size[1] / random.uniform(2.5, 12), -1, 1)
    sheet += grain * np.float32(level * random.uniform(0.004, 0.03))
    if random.random() < 0.12:  # clouds of recycled, aged or stained paper
        sheet += smooth(random, size, random.uniform(3, 12), -1, 1) * np.float32(random.uniform(0.01, 0.06))
    if random.random() < 0.05:  # the printed pattern of a check or a ticket
        sheet *= 1 - backgrounds.guilloche((size[1], size[0]), random.uniform(15, 60), random)
    return sheet


def ink(random: np.random.Generator, tone: Gray, thorough: bool = False) -> Floats:
    """How much of the paper's light the ink of `tone` (h, w) takes, 0 to 1; `thorough` is even, black ink."""
    if thorough:
        return np.multiply(tone, np.float32(random.uniform(0.8, 0.97) / 255), dtype=np.float32)
    size = tone.shape[0], tone.shape[1]
    strength = random.uniform(0.72, 0.95) if random.random() < 0.75 else random.uniform(0.5, 0.75)
    dark = np.multiply(tone, np.float32(strength / 255), dtype=np.float32)
    kind = random.random()
    if kind < 0.25:  # a pen that runs dry, or more and less pressure
        low = random.uniform(0.55, 0.85)
        uneven = smooth(random, size, size[1] / random.uniform(10, 60), low, 1.1)
        dark *= np.minimum(np.maximum(uneven, np.float32(0.4)), np.float32(1))
    elif kind < 0.37:  # pencil and chalk: the paper's grain stays white
        grain = normal(random, size)
        if random.random() < 0.5:
            grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.8), np.float32) * np.float32(2.5)
        dark *= np.clip(np.float32(0.85) + np.float32(random.uniform(0.1, 0.3)) * grain, 0.25, 1)
    return dark


def show_through(random: np.random.Generator, tone: Gray) -> Floats:
    """The other side's writing (h, w), pale and blurred, mirrored; factors of the paper's light."""
    back = np.roll(tone[:, ::-1], random.integers(0, min(tone.shape), 2).tolist(), (0, 1))
    back = np.asarray(cv2.GaussianBlur(back, (0, 0), random.uniform(0.8, 3)), np.uint8)
    return np.float32(1) - back * np.float32(random.uniform(0.04, 0.2) / 255)


def folds(random: np.random.Generator, size: Size) -> Floats:
    """One crease, or many of crumpled paper: each side lit differently; factors (h, w) of the light."""
    height, width = max(2, size[0] // 2), max(2, size[1] // 2)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    lit = np.ones((height, width), np.float32)
    many = random.random() < 0.25
    for _ in range(int(random.integers(4, 9)) if many else 1):
        angle = random.uniform(0, np.pi) if many else random.choice([0, np.pi / 2]) + random.normal(0, 0.05)
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        far = (x - random.uniform(0, width)) * cos + (y - random.uniform(0, height)) * sin
        soft = np.float32(random.uniform(0.03, 0.25) * width)
        depth = np.float32(random.uniform(-0.12, 0.12))
        lit *= 1 + depth * np.sign(far) * np.exp(-np.abs(far) / soft)
        lit *= 1 - np.float32(random.uniform(0.0, 0.2)) * np.exp(-((far / random.uniform(0.4, 1.2)) ** 2))
    return np.asarray(cv2.resize(lit, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def table_top(random: np.random.Generator, size: Size) -> Floats:
    """What the sheet lies on (h, w): plain, wood, cloth, tiles, a keyboard's rows."""
    level = random.uniform(0.04, 0.5) if random.random() < 0.75 else random.uniform(0.5, 0.95)
    rough = np.float32(level * random.uniform(0.02, 0.25))
    top = np.full(size, level, np.float32)
    kind = random.random()
    if kind < 0.3:
        top += smooth(random, size, random.uniform(2, 6), -1, 1) * rough
    elif kind < 0.65:  # the grain of wood: long one way
        grain = normal(random, (int(random.integers(12, 90)), int(random.integers(2, 5))))
        grain = grain if random.random() < 0.6 else grain.T
        large = cv2.resize(grain, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
        top += large * rough + smooth(random, size, 3, -1, 1) * rough
        if random.random() < 0.3:
            _joints(random, top)
    elif kind < 0.85:  # cloth, stone, a rough wall
        top += smooth(random, size, random.uniform(8, size[1] / 2), -1, 1) * rough * np.float32(1.5)
    else:
        step = int(random.integers(6, 60))
        rows, columns = -(-size[0] // step), -(-size[1] // step)
        board = (np.indices((rows, columns)).sum(0) % 2).astype(np.float32)
        board = board if random.random() < 0.5 else random.random((rows, columns)).astype(np.float32)
        tiles = cv2.resize(board, (columns * step, rows * step), interpolation=cv2.INTER_NEAREST)
        top += tiles[: size[0], : size[1]] * np.float32(random.uniform(0.03, 0.3))
    return np.clip(top, 0.01, 1)


def beyond(random: np.random.Generator, sheet: Floats, inside: Floats) -> Floats:
    """The sheet (h, w) with a table top and the sheet's shadow on it where `inside` is below 0 px."""
    top = table_top(random, (sheet.shape[0], sheet.shape[1]))
    if random.random() < 0.6:
        near = np.exp(np.minimum(inside, 0) / np.float32(random.uniform(1.5, 14)))
        top *= 1 - np.float32(random.uniform(0.15, 0.7)) * near
    part = np.clip(inside + np.float32(0.5), 0, 1)
    return np.asarray(top + (sheet - top) * part, np.float32)


def things(random: np.random.Generator, sheet: Floats) -> Gray:
    """Put a finger, a pen or a binding's holes over the sheet (h, w), in place; 255 where they hide it."""
    height, width = sheet.shape
    hidden = np.zeros((height, width), np.uint8)
    kind = random.random()
    if kind < 0.4:
        _finger(random, hidden)
        shade = random.uniform(0.2, 0.75) * smooth(random, (height, width), 4, 0.85, 1.1)
    elif kind < 0.7:
        ends = random.uniform(-0.5, 1.5, (2, 2)) * (width, height)
        first, last = np.round(ends * 16).astype(int).tolist()
        cv2.line(
            hidden, first, last, (255,), max(3, round(random.uniform(0.02, 0.08) * width)), cv2.LINE_AA, 4
        )
        shade = random.uniform(0.05, 0.8) * smooth(random, (height, width), width / 8, 0.8, 1.2)
    else:
        _binding(random, hidden)
        shade = random.uniform(0.03, 0.35) * smooth(random, (height, width), width / 5, 0.6, 1.4)
    around = np.asarray(cv2.GaussianBlur(hidden, (0, 0), random.uniform(1.5, 6)), np.uint8)
    sheet *= 1 - around * np.float32(random.uniform(0.1, 0.5) / 255)
    part = hidden * np.float32(1 / 255)
    sheet += (shade.astype(np.float32) - sheet) * part
    return hidden


def _finger(random: np.random.Generator, hidden: Gray) -> None:
    """A finger's round end, from the nearest border."""
    height, width = hidden.shape
    pen = max(6, round(random.uniform(0.1, 0.25) * width))
    side, along = int(random.integers(4)), random.uniform(0, 1)
    reach, lean = random.uniform(0.02, 0.3), random.normal(0, 0.2)
    inner, outer = np.array([along, reach]), np.array([along + lean, -0.4])
    ends = []
    for x, y in (inner, outer):
        place = [(x, y), (1 - y, x), (x, 1 - y), (y, x)][side]
        ends.append((round(place[0] * width), round(place[1] * height)))
    cv2.line(hidden, ends[0], ends[1], (255,), pen, cv2.LINE_AA)


def _binding(random: np.random.Generator, hidden: Gray) -> None:
    """A column or a row of punched holes or of wire loops, along one side."""
    height, width = hidden.shape
    upright = random.random() < 0.7
    length, across = (height, width) if upright else (width, height)
    step = random.uniform(0.05, 0.16) * length
    place = across * random.choice([random.uniform(0.01, 0.12), random.uniform(0.88, 0.99)])
    radius = max(1, round(step * random.uniform(0.12, 0.3)))
    loop = round(step * random.uniform(0.5, 1.2)) if random.random() < 0.5 else 0
    for at in np.arange(random.uniform(0, step), length, step):
        middle = (round(place), round(at)) if upright else (round(at), round(place))
        cv2.circle(hidden, middle, radius, (255,), -1, cv2.LINE_AA)
        if loop:
            sign = -1 if place < across / 2 else 1
            end = (middle[0] + sign * loop, middle[1]) if upright else (middle[0], middle[1] + sign * loop)
            cv2.line(hidden, middle, end, (255,), max(1, radius // 2), cv2.LINE_AA)


def _joints(random: np.random.Generator, top: Floats) -> None:
    """The gaps between boards, or a table's own edge."""
    height, width = top.shape
    for _ in range(int(random.integers(1, 3))):
        x = round(random.uniform(0, width))
        end = round(x + random.normal(0, 0.05) * width)
        dark, pen = random.uniform(0.02, 0.3), int(random.integers(1, 4))
        cv2.line(top, (x, 0), (end, height), (dark,), pen, cv2.LINE_AA)
