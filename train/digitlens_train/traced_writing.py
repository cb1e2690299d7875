"""What UNIPEN's writers wrote in one go: numbers with the pen not lifted, whole numbers, signs, words."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from digitlens.rows.recognizer import (
    BRACKET,
    COLON,
    DASH,
    EQUALS,
    LETTER,
    PLUS,
    POINT,
    SLASH,
    SYMBOL,
)
from digitlens_train import trajectories
from digitlens_train.paper.ink import Shape
from digitlens_train.paper.material import Material
from digitlens_train.trajectories import Lines, hurried
from digitlens_train.writing import DIGIT, Character, Hand, penned

UNKNOWN = 255
"""The label of ink whose columns show several signs."""
SIGNS = {
    "-": DASH,
    "/": SLASH,
    "+": PLUS,
    "=": EQUALS,
    ":": COLON,
    "(": BRACKET,
    ")": BRACKET,
    "[": BRACKET,
    "]": BRACKET,
    ",": POINT,
    ".": POINT,
    **dict.fromkeys("$#%&@", SYMBOL),
}
"""The class of a sign in UNIPEN's labels."""
SIZES = {
    DASH: (0.2, 0.6, 0.05),
    SLASH: (1.0, 1.45, 0.0),
    PLUS: (0.4, 0.8, 0.05),
    EQUALS: (0.3, 0.6, 0.05),
    COLON: (0.35, 0.7, 0.15),
    BRACKET: (1.0, 1.45, 0.0),
    SYMBOL: (0.8, 1.2, 0.0),
}
"""Smallest and largest longer side of a sign, and how far its middle is below a digit's, in digit heights."""


def linked(material: Material, labels: list[int], hand: Hand, random: np.random.Generator) -> list[Character]:
    """Digits of one writer, the pen now and then not lifted between two.

    They are slices of one piece of ink, to be placed side by side without a gap.
    """
    paths: Lines = []
    edges: list[float] = []
    ends: list[float] = []
    x = 0.0
    for k, label in enumerate(labels):
        shape = trajectories.shape_of(material, random, label, hand.style)
        own = trajectories.lines(shape)
        stretch = hand.narrow * float(np.exp(random.normal(0, 0.06)))
        size = float(np.exp(random.normal(0, 0.08 * hand.unrest)))
        shift = np.array([x, random.normal(0, hand.drift) - 0.5 * size])
        own = [path * (stretch * size, size) + shift for path in own]
        if k:
            edges.append((ends[-1] + min(float(path[:, 0].min()) for path in own)) / 2)
            if random.random() < hand.linked:
                own[0] = np.concatenate([paths.pop(), own[0]])
        paths += own
        ends.append(max(float(path[:, 0].max()) for path in own))
        x = ends[-1] + max(-0.1, 0.6 * hand.gap + random.normal(0, 0.04))
    if random.random() < 0.7:
        paths = hurried(paths, random.uniform(0.01, 0.07))
    ink, left, middle = penned(paths, hand)
    cuts = [0, *(round(left + edge * DIGIT) for edge in edges), ink.shape[1]]
    if min(after - before for before, after in pairwise(cuts)) < 2:
        return [Character(ink, middle, UNKNOWN, tuple(labels))]
    return [
        Character(ink[:, start:end], middle, label)
        for label, (start, end) in zip(labels, pairwise(cuts), strict=True)
    ]


def string(material: Material, hand: Hand, random: np.random.Generator) -> Character | None:
    """A number, date or amount as one of the writers wrote it; None where there is none."""
    found = string_and_text(material, hand, random)
    return None if found is None else found[0]


def string_and_text(
    material: Material, hand: Hand, random: np.random.Generator
) -> tuple[Character, str] | None:
    """As `string`, with its text."""
    strings = material.strings
    if strings is None or not len(strings.chosen):
        return None
    index = int(strings.chosen[random.integers(len(strings.chosen))])
    text = strings.labels[index]
    classes = tuple(int(sign) if sign.isdigit() else SIGNS.get(sign, LETTER) for sign in text)
    shape = strings.shape(index)
    if float(shape.points[:, 0].max()) > 2 * len(text):  # much room, or a wrong label
        return None
    # The label's longer signs make the row higher than its digits.
    size = 1.25 if any(sign in "()/$" for sign in text) else 1.0
    return _inked(shape, hand, random, size * float(np.exp(random.normal(0, 0.06))), classes), text


def word(material: Material, hand: Hand, random: np.random.Generator) -> Character | None:
    """A word as one of the writers wrote it; None where there is none."""
    words = material.words
    if words is None or not len(words.chosen):
        return None
    index = int(words.chosen[random.integers(len(words.chosen))])
    return _inked(words.shape(index), hand, random, random.uniform(0.9, 1.5), (LETTER,))


def sign(material: Material, label: int, hand: Hand, random: np.random.Generator) -> Character | None:
    """A sign of one class; None where there is none of it."""
    if material.signs is None or label not in SIZES:
        return None
    texts = [text for text, own in SIGNS.items() if own == label and text in material.signs.by_label]
    if not texts:
        return None
    own = material.signs.by_label[texts[int(random.integers(len(texts)))]]
    shape = material.signs.shape(int(own[random.integers(len(own))]))
    low, high, below = SIZES[label]
    points = shape.points - shape.points.mean(axis=0)
    size = random.uniform(low, high) / max(float(np.ptp(points, axis=0).max()), 1e-3)
    points = points * size + (0, below + random.normal(0, 0.06))
    ink, _, middle = penned(trajectories.lines(Shape(points, shape.ends)), hand)
    return Character(ink, middle, label)


def _inked(
    shape: Shape, hand: Hand, random: np.random.Generator, size: float, classes: tuple[int, ...]
) -> Character:
    scale = np.array([size * hand.narrow**0.5, size])
    paths: list[npt.NDArray[np.float64]] = [(path - (0, 0.5)) * scale for path in trajectories.lines(shape)]
    if random.random() < 0.3:
        paths = hurried(paths, random.uniform(0.01, 0.05))
    ink, _, middle = penned(paths, hand)
    return Character(
        ink, middle, classes[0] if len(classes) == 1 else UNKNOWN, classes if len(classes) > 1 else ()
    )
