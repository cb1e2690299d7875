"""Training crops: strokes drawn on photographed paper and cut out by the runtime's own segmentation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens.glyphs import normalize, parts
from digitlens.paper.rules import segment
from digitlens_train import drawn_digits, negatives, strokes, touching, trajectories, user_crops
from digitlens_train.data import DataError, load_mnist
from digitlens_train.paper.material import Material, Part
from digitlens_train.strokes import Stroke

OTHER = 10
"""The label of non-digits."""
HANDS = 0.55
"""Share of the digits that pen trajectories and hand-like fonts draw, where there are any."""
LETTERS = 0.5
"""Share of the non-digits that are letters and signs of the same writers."""
CHUNK = 4000
"""Pictures of a worker's job, drawn from one seed."""


@dataclass(frozen=True)
class Sources:
    """Data sets of digits with their labels, MNIST first, and of non-digits: (h, w) uint8, white on black.

    `hands` are pen trajectories and hand-like fonts, by writer.
    """

    digits: list[tuple[Sequence[Gray], Gray]]
    negatives: list[Sequence[Gray]]
    hands: Material | None = None

    @property
    def description(self) -> str:
        """What they are, for a card."""
        sets = ", ".join(f"{len(labels):,}" for _, labels in self.digits)
        text = f"MNIST and further digits ({sets}), {sum(map(len, self.negatives)):,} other characters"
        if self.hands is None or self.hands.digits is None:
            return text
        traced = [self.hands.digits, self.hands.upper, self.hands.lower, self.hands.signs]
        count = sum(len(one.chosen) for one in traced if one is not None)
        return (
            f"{text}, {count:,} pen trajectories of UNIPEN train_r01_v07 (CC BY 4.0) by "
            f"{len(set(self.hands.digits.writers[self.hands.digits.chosen].tolist())):,} writers of digits, "
            f"{len(self.hands.hand_fonts)} hand-like fonts"
        )


@dataclass(frozen=True)
class Mix:
    """How many crops of each kind to draw.

    Attributes:
        written: digits of the data sets.
        negatives: non-digits.
        touching: digits cut from a neighbor that they touched.
        drawn: digits in shapes that are rare in the data sets.
        ruled: digits that have lost ink with a ruled line.
        scribbled: scribbles.
        broken: digits joined from several pieces.
    """

    written: int = 240_000
    negatives: int = 90_000
    touching: int = 70_000
    drawn: int = 70_000
    ruled: int = 36_000
    scribbled: int = 32_000
    broken: int = 44_000

    @classmethod
    def of(cls, total: int) -> "Mix":
        """The default proportions, scaled to about `total` crops."""
        default = cls()
        return cls(**{kind: round(count * total / default.total) for kind, count in asdict(default).items()})

    @property
    def total(self) -> int:
        """Crops of all kinds."""
        return sum(asdict(self).values())


def make(sources: Sources, mix: Mix, seed: int, processes: int) -> tuple[Gray, Gray]:
    """Draw pictures (N, 28, 28) and labels (N,), 0 to 9 or OTHER; the same for the same seed.

    The number of worker `processes` does not change the result.
    """
    import keras  # here, so that no worker imports it: that takes longer than drawing a chunk

    wanted = asdict(mix).items()
    chunks = [(kind, min(CHUNK, total - start)) for kind, total in wanted for start in range(0, total, CHUNK)]
    jobs = [(kind, size, (seed, number)) for number, (kind, size) in enumerate(chunks)]
    pictures, labels = [], []
    bar = keras.utils.Progbar(len(jobs), unit_name="chunk")
    with get_context("spawn").Pool(processes, _prepare, (sources,)) as pool:
        for chunk, chunk_labels in pool.imap(_draw_chunk, jobs):
            pictures.append(chunk)
            labels.append(chunk_labels)
            bar.add(1)
    return np.concatenate(pictures), np.concatenate(labels)


_sources: Sources


def _prepare(sources: Sources) -> None:
    """Give a worker its sources once; OpenCV's own threads would only compete for the cores."""
    global _sources
    _sources = sources
    cv2.setNumThreads(1)


def _draw_chunk(job: tuple[str, int, tuple[int, int]]) -> tuple[Gray, Gray]:
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


def _written(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit of any set by any pen, on paper, photographed, found and cut out again."""
    stroke, label, images = _stroke(sources, random)
    if random.random() < 0.08:
        stroke = strokes.cut(stroke, random)
    if random.random() < 0.15:
        stroke = negatives.add_clutter(stroke, random, images)
    return photograph(stroke, random), label


def _ruled(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit that has lost ink with a ruled line."""
    stroke, label, _ = _stroke(sources, random)
    return photograph(strokes.remove_line(stroke, random), random), label


def _broken(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit whose strokes do not meet or have gaps, its pieces joined as the runtime joins them."""
    if random.random() < 0.3:
        stroke, label = drawn_digits.draw(random)
        stroke = strokes.bend(stroke, random, 0.9)
    else:
        stroke, label, _ = _stroke(sources, random)
    if random.random() < 0.25:
        stroke = strokes.dry_out(stroke, random)
    else:
        for _ in range(int(random.integers(1, 4))):
            stroke = strokes.cut(stroke, random)
    return photograph(stroke, random, joined=True), label


def _scribbled(_: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A scribble, or one side of a cut through it."""
    stroke = strokes.bend(negatives.scribble(random, 10, 36), random, 0.5)
    if random.random() < 0.5:
        stroke = touching.piece(stroke, random)
    if strokes.is_straight(stroke):  # it looks like a 1
        return None, OTHER
    return photograph(stroke, random), OTHER


def _stroke(sources: Sources, random: np.random.Generator) -> tuple[Stroke, int, Sequence[Gray]]:
    """A digit's stroke picture by any pen, its label, and the pictures of its set."""
    if sources.hands is not None and random.random() < HANDS:
        stroke, label = trajectories.digit(sources.hands, random)
        return strokes.bend(stroke, random, 1.0), label, sources.digits[0][0]
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


def _negative(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    own = None
    if sources.hands is not None and random.random() < LETTERS:
        own = trajectories.other(sources.hands, random)
    if own is not None:
        return photograph(strokes.bend(own, random, 0.8), random), OTHER
    stroke = negatives.draw(random, sources.negatives, sources.digits[0])
    return photograph(stroke, random), OTHER


def _touching(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """One of two touching digits after a cut, OTHER if the cut was wrong."""
    stroke, label = touching.draw(random, *sources.digits[0])
    if not stroke.any():
        return None, OTHER
    return photograph(stroke, random), OTHER if label is None else label


def _drawn(sources: Sources, random: np.random.Generator) -> tuple[Gray | None, int]:
    """A digit in a shape that is rare in the data sets."""
    stroke, label = drawn_digits.draw(random)
    stroke = strokes.bend(stroke, random, 0.9)
    if random.random() < 0.05:
        stroke = strokes.cut(stroke, random)
    return photograph(stroke, random), label


def photograph(stroke: Stroke, random: np.random.Generator, joined: bool = False) -> Gray | None:
    """Put a stroke on paper, photograph it, and cut out the glyph that the runtime finds; None without one.

    (SIDE, SIDE) float32 -> (28, 28) uint8. The digit is 11 to 80 pixels high; the light is uneven, the
    lens soft, the sensor noisy. `joined` takes all glyphs together, else the largest, which must have most
    of the ink.
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
        return normalize.normalize(parts.joined(glyphs).ink)
    areas = [np.count_nonzero(glyph.ink) for glyph in glyphs]
    largest = int(np.argmax(areas))
    if areas[largest] < 0.75 * sum(areas):
        return None
    return normalize.normalize(glyphs[largest].ink)


def plain(sets: list[Sequence[Gray]]) -> Gray:
    """Every picture of the sets as the runtime normalizes it, (N, 28, 28)."""
    pictures = [normalize.normalize(picture) for pictures in sets for picture in pictures]
    return np.stack(pictures) if pictures else np.zeros((0, 28, 28), np.uint8)


def shares(sets: int) -> npt.NDArray[np.float64]:
    """The probability of each set: mostly MNIST, since the network would overfit the small ones."""
    return np.array([1.0]) if sets == 1 else np.array([0.7] + [0.3 / (sets - 1)] * (sets - 1))


_MAKERS = {
    "written": _written,
    "negatives": _negative,
    "touching": _touching,
    "drawn": _drawn,
    "ruled": _ruled,
    "scribbled": _scribbled,
    "broken": _broken,
}


def load_sources(mnist: tuple[Gray, Gray], folder: Path | None, crops: Path | None = None) -> Sources:
    """MNIST's digits and the data sets in `folder`: optdigits, semeion, omniglot, hasy, any as npz.

    With UNIPEN's trajectories and hand-like fonts in it, see Material.load, they are sources as well.

    `crops` is a folder of a user's own crops, see digitlens_train.user_crops.

    Raises:
        DataError: a data set or a crop is broken.
    """
    digits: list[tuple[Sequence[Gray], Gray]] = [(list(mnist[0]), mnist[1])]
    characters: list[Sequence[Gray]] = []
    if folder is not None:
        for name in ("optdigits", "semeion"):
            if (path := folder / f"{name}.npz").exists():
                images, labels = _arrays(path, "x", "y")
                digits.append((list(images), labels))
        paths = [folder / f"{name}.npz" for name in ("omniglot", "hasy")]
        characters += [list(_arrays(path, "x")[0]) for path in paths if path.exists()]
    hands = None
    if folder is not None and (folder / "unipen_digits.npz").exists():
        hands = Material.load(folder)
    if crops is not None:
        own, own_labels, own_negatives = user_crops.load(crops)
        if own:
            digits.append((own, own_labels))
        if own_negatives:
            characters.append(own_negatives)
    return Sources(digits, characters, hands)


def other_hands(mnist: Path | None, folder: Path | None, part: Part) -> Sources:
    """What the networks have not learnt from: half of MNIST's test digits, and the hands of a part.

    Raises:
        DataError: MNIST or a file of `folder` is missing or broken.
    """
    half = load_mnist(mnist)
    middle = len(half.x_test) // 2
    kept = slice(middle, None) if part == "scores" else slice(middle)
    material = Material.load(folder, part)
    digits = list(half.x_test[kept]), half.y_test[kept]
    return Sources(
        [digits], [list(images) for images in material.symbols], None if folder is None else material
    )


def _arrays(path: Path, *names: str) -> list[Gray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path}: not an npz with {' and '.join(names)}") from error
