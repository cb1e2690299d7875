"""What paper is filled with: pen trajectories, pictures of characters, fonts; learnt and held out."""

import zlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Gray
from digitlens_train import drawn_digits
from digitlens_train.data import DataError
from digitlens_train.paper.ink import WIDEST, Shape

Indices = npt.NDArray[np.intp]
Part = Literal["learnt", "scores", "held_out"]
"""See Material.load."""

ONE_IN = 10
"""One writer, font or picture in so many is not learnt by the network `ink`."""
AGREED = 0.5
"""Smallest share of the checks of a trajectory's label that agree with it."""
CHARACTERS = ("digits", "upper", "lower", "symbols")
"""UNIPEN files of single characters, whose width is bounded."""
LIKE_DIGITS = frozenset("OoQDIlijJSsZzbqgGy|")
"""Letters that alone cannot be told from digits."""
COARSE = 6.0
"""How far a trajectory may leave its points to be made of fewer, in its own units."""
STYLES, VARIANTS = 400, 3
"""Writers of drawn digits, and how often each of them wrote each digit."""
FULL_HAND = 5
"""Fewest of the ten digits that a writer's trajectories must hold to write numbers with them."""
FONT_FOLDERS = (Path("/usr/share/fonts"),)
"""Where printed fonts are looked for, besides matplotlib's own folder."""
# fmt: off
NO_PRINT = (
    "comic", "humor", "hand", "script", "manners", "dancing", "marker", "brush",
    "kristi", "chalk", "purisa", "casual", "abeced", "eleg", "ecolier", "junkyard",
    "wasn", "wargames", "penguin", "dedeena", "d050000l", "biolinum_k", "ocrbe", "ocrbx",
    "symbol", "dingbat", "keyboard",
)
# fmt: on
"""Parts of the names of fonts that look handwritten, or are keys, pictures and the like."""
FAMILY = 5
"""Letters of a font's name that its family shares."""
PARTS: dict[str, Part] = {"cmr10": "scores", "cmss1": "held_out"}
"""Families of matplotlib's own fonts, so that no part is without one on any machine."""
OWN_ENCODING = {"cmex10.ttf", "cmmi10.ttf", "cmsy10.ttf"}
"""Fonts of matplotlib that have other signs where letters and digits belong."""
PRINTABLE = "0123456789ABCXYZabcxyz"
"""Characters that a printed font must have, each of its own shape."""


class Trajectories:
    """Pen trajectories of characters, strings or words.

    Attributes:
        by_label: the samples of each label, (N,) indices.
        widest: most heights that a sample may be wide, else it is made smaller.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[np.generic]], chosen: Indices, widest: float) -> None:
        self._points = arrays["pts"].astype(np.float32)  # (M, 2)
        self._strokes, self._characters = arrays["stroke"], arrays["char"]
        self.labels: list[str] = [str(label) for label in arrays["y"].tolist()]
        self.writers = arrays["writer"].astype(np.intp)
        self.chosen = chosen
        self.widest = widest
        self._shapes: dict[int, Shape] = {}
        self.by_label: dict[str, Indices] = _grouped(chosen, [self.labels[k] for k in chosen.tolist()])

    @cached_property
    def aspects(self) -> Doubles:
        """Width / height of all samples, (N,)."""
        starts = self._strokes[self._characters[:-1]].astype(np.intp)
        low = np.minimum.reduceat(self._points, starts)
        size = np.maximum(np.maximum.reduceat(self._points, starts) - low, 1)
        return np.asarray(size[:, 0] / size[:, 1], np.float64)

    def shape(self, index: int) -> Shape:
        """A sample, of no more points than it needs."""
        if index not in self._shapes:
            ends = self._strokes[self._characters[index] : self._characters[index + 1] + 1]
            points = [self._points[start:end] for start, end in pairwise(ends.tolist())]
            self._shapes[index] = Shape.fit([_fewer(line, COARSE) for line in points], self.widest)
        return self._shapes[index]


@dataclass(frozen=True)
class Pictures:
    """Digits as pictures (N, h, w) uint8, white on black, and the indices of each digit.

    Attributes:
        narrow: mean width / height of a digit where the pictures lost it by being stretched, else None.
    """

    images: Gray
    by_digit: list[Indices]
    narrow: float | None = None


@dataclass
class Material:
    """All sources of characters, either the learnt or the held-out ones.

    Attributes:
        writers: of each UNIPEN writer who wrote most digits, the samples of each digit.
        pictures: digits of MNIST, optdigits, semeion.
        hand_fonts: of each hand-like font its characters, (64, 64) uint8, white on black.
        symbols: letters of other alphabets and symbols, (N, h, w) uint8 each, white on black.
        print_fonts: files of printed fonts, by family.
    """

    digits: Trajectories | None = None
    upper: Trajectories | None = None
    lower: Trajectories | None = None
    signs: Trajectories | None = None
    words: Trajectories | None = None
    strings: Trajectories | None = None
    writers: list[dict[int, Indices]] = field(default_factory=list)
    pictures: list[Pictures] = field(default_factory=list)
    hand_fonts: list[dict[str, Gray]] = field(default_factory=list)
    symbols: list[Gray] = field(default_factory=list)
    print_fonts: list[list[Path]] = field(default_factory=list)
    _drawn: dict[tuple[int, int, int], Shape] = field(default_factory=dict, repr=False)

    def drawn(self, value: int, style: int, variant: int) -> Shape:
        """A digit of digitlens_train.drawn_digits; the same arguments give the same shape."""
        key = style % STYLES, value, variant % VARIANTS
        if key not in self._drawn:
            random = np.random.default_rng(key)
            paths = drawn_digits.paths(random, value, style % STYLES)
            self._drawn[key] = Shape.fit([_fewer(line.astype(np.float32), 0.006) for line in paths])
        return self._drawn[key]

    @cached_property
    def plain_strings(self) -> dict[int, Indices]:
        """The samples of `strings` that are digits alone, by their length."""
        if self.strings is None:
            return {}
        labels = self.strings.labels
        plain = np.array([k for k in self.strings.chosen.tolist() if labels[k].isdigit()], np.intp)
        groups = _grouped(plain, [str(len(labels[k])) for k in plain.tolist()])
        return {int(length): indices for length, indices in groups.items()}

    @classmethod
    def load(cls, data: Path | None, part: Part = "learnt") -> "Material":
        """A part of the folder `data`; None: only what needs no data, drawn digits and printed fonts.

        Nine of ten writers, fonts and pictures, and MNIST's training half, are learnt by the network `ink`.
        Of the others, and of MNIST's test half, the learnt scores get one half: what `ink` says of hands and
        fonts that it knows is surer than what it will say of a user's. The other half is held out from both.

        Raises:
            DataError: a file is missing or broken.
        """
        material = cls(print_fonts=_print_fonts(part))
        if data is None:
            return material
        for name in (*CHARACTERS, "strings", "words"):
            arrays = _read(data / f"unipen_{name}.npz", ("pts", "stroke", "char", "y", "writer"), ("agree",))
            writer = arrays["writer"].astype(np.intp)
            kept = np.array([part_of(one) == part for one in writer.tolist()])
            if "agree" in arrays:
                kept &= arrays["agree"].astype(np.float32) >= AGREED
            if name == "words":
                kept &= np.array([_is_word(str(label)) for label in arrays["y"].tolist()])
            widest = WIDEST if name in CHARACTERS else np.inf
            trajectories = Trajectories(arrays, np.flatnonzero(kept), widest)
            setattr(material, "signs" if name == "symbols" else name, trajectories)
        material.writers = _writers(material.digits) if material.digits else []
        material.pictures = _pictures(data, part)
        material.hand_fonts = _hand_fonts(data / "fonts_hand.npz", part)
        for name in ("omniglot", "hasy"):
            images = _read(data / f"{name}.npz", ("x",))["x"].astype(np.uint8, copy=False)
            material.symbols.append(images[_of_part(len(images), part)])
        return material


def _fewer(line: npt.NDArray[np.float32], tolerance: float) -> Doubles:
    """A line (N, 2) of fewer points, `tolerance` from the others at most."""
    return (cv2.approxPolyDP(line, tolerance, False)[:, 0] if len(line) > 4 else line).astype(np.float64)


def _is_word(label: str) -> bool:
    """Whether it cannot be taken for a number, as I and so can."""
    return len(label) > 1 and not LIKE_DIGITS.issuperset(label)


def _read(
    path: Path, names: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, npt.NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            wanted = [*names, *(name for name in optional if name in arrays.files)]
            return {name: arrays[name] for name in wanted}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; generated paper needs it, or no data folder") from error
    except Exception as error:  # numpy and zipfile raise a dozen kinds
        raise DataError(f"{path}: not an npz with {', '.join(names)}") from error


def part_of(number: int) -> Part:
    """The part of a writer, font or picture with this number."""
    if number % ONE_IN:
        return "learnt"
    return "held_out" if number // ONE_IN % 2 == 0 else "scores"


def _of_part(count: int, part: Part) -> Indices:
    return np.flatnonzero([part_of(number) == part for number in range(count)])


def _grouped(indices: Indices, labels: list[str]) -> dict[str, Indices]:
    groups: dict[str, list[int]] = {}
    for index, label in zip(indices.tolist(), labels, strict=True):
        groups.setdefault(label, []).append(index)
    return {label: np.array(group, np.intp) for label, group in groups.items()}


def _writers(digits: Trajectories) -> list[dict[int, Indices]]:
    hands: dict[int, dict[int, list[int]]] = {}
    for index in digits.chosen.tolist():
        hand = hands.setdefault(int(digits.writers[index]), {})
        hand.setdefault(int(digits.labels[index]), []).append(index)
    return [
        {value: np.array(indices, np.intp) for value, indices in hand.items()}
        for _, hand in sorted(hands.items())
        if len(hand) >= FULL_HAND
    ]


def _pictures(data: Path, part: Part) -> list[Pictures]:
    half = "train" if part == "learnt" else "test"
    mnist = _read(data / "mnist.npz", (f"x_{half}", f"y_{half}"))
    count = len(mnist[f"y_{half}"])
    # By halves: a writer's digits stand together, and those of the test half have 250 writers.
    own = {"learnt": slice(count), "scores": slice(count // 2, count), "held_out": slice(count // 2)}[part]
    sets = [_by_digit(mnist[f"x_{half}"][own], mnist[f"y_{half}"][own], None)]
    for name, narrow in (("optdigits", None), ("semeion", 0.65)):  # semeion's fill their square
        arrays = _read(data / f"{name}.npz", ("x", "y"))
        kept = _of_part(len(arrays["y"]), part)
        sets.append(_by_digit(arrays["x"][kept], arrays["y"][kept], narrow))
    return sets


def _by_digit(
    images: npt.NDArray[np.generic], labels: npt.NDArray[np.generic], narrow: float | None
) -> Pictures:
    values = labels.astype(np.intp)
    return Pictures(
        images.astype(np.uint8, copy=False), [np.flatnonzero(values == digit) for digit in range(10)], narrow
    )


def _hand_fonts(path: Path, part: Part) -> list[dict[str, Gray]]:
    arrays = _read(path, ("x", "y", "font"))
    fonts: dict[str, dict[str, Gray]] = {}
    for image, label, font in zip(arrays["x"], arrays["y"].tolist(), arrays["font"].tolist(), strict=True):
        fonts.setdefault(str(font), {})[str(label)] = image.astype(np.uint8, copy=False)
    full = [fonts[name] for name in sorted(fonts) if all(str(digit) in fonts[name] for digit in range(10))]
    return [full[k] for k in _of_part(len(full), part).tolist()]


def _print_fonts(part: Part) -> list[list[Path]]:
    """Fonts with letters and digits, by family; its name tells its part, on all machines alike."""
    import matplotlib

    folders = (Path(matplotlib.get_data_path()) / "fonts" / "ttf", *FONT_FOLDERS)
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(path for kind in ("*.ttf", "*.otf") for path in folder.rglob(kind)):
            found.setdefault(path.name, path)
    families: dict[str, list[Path]] = {}
    for name, path in sorted(found.items()):
        family = name.lower()[:FAMILY]
        own = PARTS.get(family, part_of(zlib.crc32(family.encode()))) == part
        if own and name not in OWN_ENCODING and not any(word in name.lower() for word in NO_PRINT):
            families.setdefault(family, []).append(path)
    fonts = [[path for path in paths if _has_letters(path)] for paths in families.values()]
    fonts = [paths for paths in fonts if paths]
    if not fonts:
        raise DataError(f"no printed font of the part {part} with letters and digits in {folders[0]}")
    return fonts


@lru_cache(maxsize=10000)
def _has_letters(path: Path) -> bool:
    """Whether a font has letters and digits, each of its own shape, and not one box for all."""
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(str(path), 16)
        shapes = {bytes(font.getmask(character)) for character in PRINTABLE}
    except OSError:
        return False
    return len(shapes) == len(PRINTABLE)
