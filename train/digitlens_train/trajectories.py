"""Characters of UNIPEN's writers and of hand-like fonts, drawn as stroke pictures by any pen."""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digitlens_train import strokes
from digitlens_train.paper.ink import Shape
from digitlens_train.paper.material import Material
from digitlens_train.strokes import Stroke

Lines = list[npt.NDArray[np.float64]]
"""Pen paths, (N, 2) each, of x and y; a pen path is drawn in one go."""

FONTS = 0.15
"""Share of the characters that a hand-like font draws, the others are pen trajectories."""
PEN = 2.5, 18.0
"""Thinnest and thickest pen, in pixels of a stroke picture."""
HURRIED = 0.35
"""Share of the characters whose corners a hurried pen rounds."""
SLASHED, BARRED = 0.25, 0.2
"""Share of the zeros that get a slash and of the sevens that get a bar, which MNIST has few of."""
AMBIGUOUS = frozenset("OoIlSsZzq9bgiy|/\\()[]{},'`\"")
"""Characters that alone may be a digit; they do not teach what is none."""


def digit(
    material: Material,
    random: np.random.Generator,
    label: int | None = None,
    writer: int | None = None,
    pen: float | None = None,
    *,
    fonts: bool = True,
    slashed: float = SLASHED,
) -> tuple[Stroke, int]:
    """A digit's stroke picture and its label; `label` is random if None.

    Args:
        material: where the hands are from.
        random: its state decides everything that is not given.
        label: 0 to 9.
        writer: a number that chooses the hand; the same one gives the same writer's or font's digits.
        pen: its width in pixels, which a font does not keep.
        fonts: a hand may be a font.
        slashed: share of the zeros that get a slash.
    """
    label = int(random.integers(10)) if label is None else label
    hand = int(random.integers(2**31)) if writer is None else writer
    if fonts and material.hand_fonts and (hand % 1000) / 1000 < FONTS:
        font = material.hand_fonts[hand // 1000 % len(material.hand_fonts)]
        return strokes.enlarge(font[str(label)]), label
    return drawn(shape_of(material, random, label, writer), random, label, pen, slashed), label


def other(material: Material, random: np.random.Generator, single: bool = True) -> Stroke | None:
    """A letter or sign; if it stands `single`, none that may be a digit. None where the material has none."""
    sets = [one for one in (material.upper, material.lower, material.signs) if one is not None]
    if not sets:
        return None
    while True:
        chosen = sets[int(random.choice(len(sets), p=np.array([0.5, 0.35, 0.15])[: len(sets)]))]
        labels = list(chosen.by_label)
        label = labels[int(random.integers(len(labels)))]
        if label.isdigit():
            continue
        if label not in AMBIGUOUS or (label.isalpha() and not single):
            break
    own = chosen.by_label[label]
    return drawn(chosen.shape(int(own[random.integers(len(own))])), random)


def shape_of(material: Material, random: np.random.Generator, label: int, writer: int | None) -> Shape:
    """The pen paths of a digit, by the writer that the number chooses, by any if it is None."""
    trajectories = material.digits
    if trajectories is None:
        return material.drawn(label, int(random.integers(2**31)), int(random.integers(64)))
    own = trajectories.by_label[str(label)]
    if writer is not None and material.writers:
        own = material.writers[writer % len(material.writers)].get(label, own)
    return trajectories.shape(int(own[random.integers(len(own))]))


def lines(shape: Shape) -> Lines:
    """The pen paths of a shape; one that is a point is drawn as one."""
    paths = [shape.points[start:end] for start, end in pairwise((0, *shape.ends))]
    return [path if len(path) > 1 else np.repeat(path, 2, axis=0) for path in paths if len(path)]


def hurried(paths: Lines, reach: float) -> Lines:
    """The paths as a faster pen draws them: corners are rounded over `reach`, in the paths' own unit."""
    rounded = []
    for path in paths:
        steps = np.hypot(*np.diff(path, axis=0).T)
        length = float(steps.sum())
        if len(path) < 3 or length <= 0:
            rounded.append(path)
            continue
        count = int(np.clip(length * 3 / max(reach, 0.01), 12, 400))
        at = np.concatenate([[0.0], np.cumsum(steps)])
        even = np.linspace(0, length, count)
        points = np.stack([np.interp(even, at, path[:, k]) for k in (0, 1)], axis=1).astype(np.float32)
        sigma = max(0.3, count * reach / length)
        soft = cv2.GaussianBlur(points, (1, 0), 0, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE)
        rounded.append(np.asarray(soft, np.float64).reshape(-1, 2))
    return rounded


def drawn(
    shape: Shape,
    random: np.random.Generator,
    label: int | None = None,
    pen: float | None = None,
    slashed: float = SLASHED,
) -> Stroke:
    """The stroke picture of a shape by a pen `pen` pixels wide, a random one if None.

    `label` is that of a digit, which may get a slash or a bar.
    """
    paths = lines(shape)
    if random.random() < HURRIED:
        paths = hurried(paths, random.uniform(0.02, 0.1))
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    size = float(max(high - low)) or 1.0
    shift = (1 - (high - low) / size) / 2
    paths = [(path - low) / size + shift for path in paths]
    wide, tall = ((high - low) / size).tolist()
    if label == 0 and random.random() < slashed:
        paths.append(slash(random, wide, tall, shift))
    stroke = strokes.draw(paths, float(np.exp(random.uniform(*np.log(PEN)))) if pen is None else pen)
    if label == 7 and len(paths) == 1 and random.random() < BARRED:
        stroke = strokes.cross_seven(stroke, random)
    return stroke


def slash(
    random: np.random.Generator, wide: float, tall: float, corner: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The slash of a zero whose box begins at `corner`: mostly rising, from inside it or beyond it."""
    reach = random.uniform(-0.15, 0.22, 2)
    ends = np.array([[-reach[0] * wide, (1 + reach[0]) * tall], [(1 + reach[1]) * wide, -reach[1] * tall]])
    ends += random.normal(0, 0.05, (2, 2))
    if random.random() < 0.12:
        ends[:, 0] = wide - ends[:, 0]
    return ends + corner
