"""Training pictures as the runtime cuts them: strokes on photographed paper, through its own eyes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from zipfile import BadZipFile

import cv2
import keras
import numpy as np
import numpy.typing as npt

from digitlens.glyphs import normalize
from digitlens.glyphs import parts as pieces
from digitlens.paper import segment
from digitlens_train import drawn_digits, negatives, strokes, touching
from digitlens_train.data import DataError
from digitlens_train.strokes import Gray, Stroke
from digitlens_train.user_crops import load_extra

OTHER = 10
"""The label of what is not a digit."""
PART = 4000
"""Pictures made at once, from one seed."""


@dataclass(frozen=True)
class Sources:
    """Digits by data set with their labels, and what is not a digit: N pictures (h, w) uint8, white on black.

    MNIST's come first.
    """

    digits: list[tuple[Sequence[Gray], Gray]]
    others: list[Sequence[Gray]]


@dataclass(frozen=True)
class Mix:
    """How many pictures are made.

    Digits of the data sets on paper, what is no digit, digits cut from their neighbors, digits drawn in
    forms that the data sets have little of, digits that stood on a line that was taken out, scribbles, and
    digits that fell into pieces and were joined.
    """

    heavy: int = 240_000
    other: int = 90_000
    touching: int = 70_000
    drawn: int = 70_000
    lined: int = 36_000
    scribbled: int = 32_000
    broken: int = 44_000

    @classmethod
    def of(cls, total: int) -> "Mix":
        """The usual mix, of about so many pictures in all."""
        usual = cls()
        return cls(**{kind: round(count * total / usual.total) for kind, count in asdict(usual).items()})

    @property
    def total(self) -> int:
        """Pictures of all kinds."""
        return sum(asdict(self).values())


def make(sources: Sources, mix: Mix, seed: int, processes: int) -> tuple[Gray, Gray]:
    """The pictures (N, 28, 28) and labels (N,), 0 to 9 or OTHER; the same for the same seed.

    `processes` work side by side; how many does not matter to the result.
    """
    wanted = asdict(mix).items()
    parts = [(kind, min(PART, total - start)) for kind, total in wanted for start in range(0, total, PART)]
    jobs = [(kind, size, (seed, number)) for number, (kind, size) in enumerate(parts)]
    pictures, labels = [], []
    bar = keras.utils.Progbar(len(jobs), unit_name="part")
    with get_context("spawn").Pool(processes, _prepare, (sources,)) as pool:
        for part, names in pool.imap(_part, jobs):
            pictures.append(part)
            labels.append(names)
            bar.add(1)
    return np.concatenate(pictures), np.concatenate(labels)


_sources: Sources


def _prepare(sources: Sources) -> None:
    """Each process is handed the sources once; OpenCV's own threads would only fight over the cores."""
    global _sources
    _sources = sources
    cv2.setNumThreads(1)


def _part(job: tuple[str, int, tuple[int, int]]) -> tuple[Gray, Gray]:
    kind, size, seed = job
    random = np.random.default_rng(seed)
    pictures, labels = np.empty((size, 28, 28), np.uint8), np.empty(size, np.uint8)
    for index in range(size):
        while True:
            picture, label = _MAKERS[kind](_sources, random)
            if picture is not None:
                break
        pictures[index], labels[index] = picture, label
    return pictures, labels


def _heavy(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit of any set by any pen, on paper, photographed, found and cut out again."""
    stroke, label, images = _written(sources, random)
    if random.random() < 0.08:
        stroke = strokes.cut(stroke, random)
    if random.random() < 0.15:
        stroke = negatives.leave_marks(stroke, random, images)
    return photograph(stroke, random), label


def _lined(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit that has lost ink with the line that it stood on."""
    stroke, label, _ = _written(sources, random)
    return photograph(strokes.take_line(stroke, random), random), label


def _broken(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit whose strokes do not meet, or are full of gaps, its pieces joined as the runtime does it."""
    if random.random() < 0.3:
        stroke, label = drawn_digits.draw(random)
        stroke = strokes.bend(stroke, random, 0.9)
    else:
        stroke, label, _ = _written(sources, random)
    if random.random() < 0.25:
        stroke = strokes.dry(stroke, random)
    else:
        for _ in range(int(random.integers(1, 4))):
            stroke = strokes.cut(stroke, random)
    return photograph(stroke, random, joined=True), label


def _scribbled(_: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A scribble, or a part of one as the runtime cuts it."""
    stroke = strokes.bend(negatives.scribble(random, 10, 36), random, 0.5)
    if random.random() < 0.5:
        stroke = touching.piece(stroke, random)
    if strokes.is_straight(stroke):  # a 1 to anybody
        return None, OTHER
    return photograph(stroke, random), OTHER


def _written(sources: Sources, random: np.random.Generator) -> tuple[Stroke, int, Sequence[Gray]]:
    """A digit's stroke by any pen, its label, and the pictures of its set."""
    which = random.choice(len(sources.digits), p=shares(len(sources.digits)))
    images, labels = sources.digits[which]
    index = int(random.integers(len(labels)))
    label = int(labels[index])
    stroke = strokes.one(random) if label == 1 and random.random() < 0.4 else strokes.enlarge(images[index])
    if label == 7 and random.random() < 0.3:
        stroke = strokes.cross_seven(stroke, random)
    if random.random() < 0.7:
        stroke = strokes.repen(stroke, float(np.exp(random.uniform(np.log(2.5), np.log(20)))))
    return strokes.bend(stroke, random, 1.0), label, images


def _other(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    stroke = negatives.draw(random, sources.others, sources.digits[0])
    return photograph(stroke, random), OTHER


def _touching(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """One of two digits that touched, or a cut that went wrong."""
    stroke, label = touching.draw(random, *sources.digits[0])
    if not stroke.any():
        return None, OTHER
    return photograph(stroke, random), OTHER if label is None else label


def _drawn(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit of a hand that the data sets know little of, on paper."""
    stroke, label = drawn_digits.draw(random)
    stroke = strokes.bend(stroke, random, 0.9)
    if random.random() < 0.05:
        stroke = strokes.cut(stroke, random)
    return photograph(stroke, random), label


def photograph(stroke: Stroke, random: np.random.Generator, joined: bool = False) -> Gray | None:
    """Put a stroke on paper, photograph it, and cut out what the runtime finds; None if it is nothing.

    (SIDE, SIDE) float32 -> (28, 28) uint8. The size is from tiny to half a small picture; the light is
    uneven, the lens soft, the sensor noisy. `joined` takes all the pieces together, else it is the largest,
    which must be most of it.
    """
    height = float(np.exp(random.uniform(np.log(11), np.log(80))))
    side = max(9, round(height * strokes.SIDE / strokes.INNER))
    small = cv2.resize(stroke, (side, side), interpolation=cv2.INTER_AREA)
    margin = max(16, side // 5)
    ink = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(0,))
    paper = random.uniform(90, 250)
    depth = random.uniform(0.2, 0.9)
    y, x = np.mgrid[-1 : 1 : ink.shape[0] * 1j, -1 : 1 : ink.shape[1] * 1j].astype(np.float32)
    slope = random.normal(0, 0.08, 2)
    page = paper * (1 + slope[0] * x + slope[1] * y) * (1 - depth * ink)
    soft = random.uniform(0, 0.03) * height
    if soft > 0.3:
        page = cv2.GaussianBlur(page, (0, 0), soft)
    page = page + random.normal(0, random.uniform(0, 0.03) * depth * paper, page.shape)
    gray = np.clip(page, 0, 255).astype(np.uint8)
    if random.random() < 0.05:
        gray = 255 - gray
    glyphs = segment.find_glyphs(gray)
    if not glyphs:
        return None
    if joined:
        return normalize.normalize(pieces.joined(glyphs).ink)
    areas = [np.count_nonzero(glyph.ink) for glyph in glyphs]
    whole = int(np.argmax(areas))
    if areas[whole] < 0.75 * sum(areas):
        return None
    return normalize.normalize(glyphs[whole].ink)


def plain(signs: list[Sequence[Gray]]) -> Gray:
    """Every sign as the runtime would hand it to the network, (N, 28, 28)."""
    pictures = [normalize.normalize(sign) for pictures in signs for sign in pictures]
    return np.stack(pictures) if pictures else np.zeros((0, 28, 28), np.uint8)


def shares(sets: int) -> npt.NDArray[np.float64]:
    """How often each set is drawn: MNIST most; the small ones would else be learnt by heart."""
    return np.array([1.0]) if sets == 1 else np.array([0.7] + [0.3 / (sets - 1)] * (sets - 1))


_MAKERS = {
    "heavy": _heavy,
    "other": _other,
    "touching": _touching,
    "drawn": _drawn,
    "lined": _lined,
    "scribbled": _scribbled,
    "broken": _broken,
}


def load_sources(mnist: tuple[Gray, Gray], folder: Path | None, extra: Path | None = None) -> Sources:
    """MNIST's digits and, of a folder with optdigits, semeion, omniglot and hasy as npz, what is there.

    `extra` is a folder of a user's own crops, see digitlens_train.user_crops.

    Raises:
        DataError: a data set or a crop is broken.
    """
    digits: list[tuple[Sequence[Gray], Gray]] = [(list(mnist[0]), mnist[1])]
    signs: list[Sequence[Gray]] = []
    if folder is not None:
        for name in ("optdigits", "semeion"):
            if (path := folder / f"{name}.npz").exists():
                images, labels = _arrays(path, "x", "y")
                digits.append((list(images), labels))
        paths = [folder / f"{name}.npz" for name in ("omniglot", "hasy")]
        signs += [list(_arrays(path, "x")[0]) for path in paths if path.exists()]
    if extra is not None:
        own, own_labels, own_others = load_extra(extra)
        if own:
            digits.append((own, own_labels))
        if own_others:
            signs.append(own_others)
    return Sources(digits, signs)


def _arrays(path: Path, *names: str) -> list[Gray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path}: not an npz with {' and '.join(names)}") from error
