"""What paper is filled with: pen trajectories, pictures of characters, fonts; learnt and held out."""

import zlib
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles, Gray
from digitlens_train import drawn_digits
from digitlens_train.data import DataError
from digitlens_train.paper.ink import WIDEST, Shape

Indices = npt.NDArray[np.intp]

ONE_IN = 10
"""One writer, font or picture in so many is held out."""
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
        print_fonts: files of printed fonts.
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
    print_fonts: list[Path] = field(default_factory=list)
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
    def load(cls, data: Path | None, held_out: bool = False) -> "Material":
        """Everything of the folder `data`; None: only what needs no data, drawn digits and printed fonts.

        Held out are each tenth writer, font and picture, and MNIST's test half.

        Raises:
            DataError: a file is missing or broken.
        """
        material = cls(print_fonts=_print_fonts(held_out))
        if data is None:
            return material
        for name in (*CHARACTERS, "strings", "words"):
            arrays = _read(data / f"unipen_{name}.npz", ("pts", "stroke", "char", "y", "writer"), ("agree",))
            writer = arrays["writer"].astype(np.intp)
            kept = (writer % ONE_IN == 0) == held_out
            if "agree" in arrays:
                kept &= arrays["agree"].astype(np.float32) >= AGREED
            if name == "words":
                kept &= np.array([_is_word(str(label)) for label in arrays["y"].tolist()])
            widest = WIDEST if name in CHARACTERS else np.inf
            trajectories = Trajectories(arrays, np.flatnonzero(kept), widest)
            setattr(material, "signs" if name == "symbols" else name, trajectories)
        material.writers = _writers(material.digits) if material.digits else []
        material.pictures = _pictures(data, held_out)
        material.hand_fonts = _hand_fonts(data / "fonts_hand.npz", held_out)
        for name in ("omniglot", "hasy"):
            images = _read(data / f"{name}.npz", ("x",))["x"].astype(np.uint8, copy=False)
            material.symbols.append(images[_held(len(images), held_out)])
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


def _held(count: int, held_out: bool) -> Indices:
    return np.flatnonzero((np.arange(count) % ONE_IN == 0) == held_out)


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


def _pictures(data: Path, held_out: bool) -> list[Pictures]:
    half = "test" if held_out else "train"
    mnist = _read(data / "mnist.npz", (f"x_{half}", f"y_{half}"))
    sets = [_by_digit(mnist[f"x_{half}"], mnist[f"y_{half}"], None)]
    for name, narrow in (("optdigits", None), ("semeion", 0.65)):  # semeion's fill their square
        arrays = _read(data / f"{name}.npz", ("x", "y"))
        kept = _held(len(arrays["y"]), held_out)
        sets.append(_by_digit(arrays["x"][kept], arrays["y"][kept], narrow))
    return sets


def _by_digit(
    images: npt.NDArray[np.generic], labels: npt.NDArray[np.generic], narrow: float | None
) -> Pictures:
    values = labels.astype(np.intp)
    return Pictures(
        images.astype(np.uint8, copy=False), [np.flatnonzero(values == digit) for digit in range(10)], narrow
    )


def _hand_fonts(path: Path, held_out: bool) -> list[dict[str, Gray]]:
    arrays = _read(path, ("x", "y", "font"))
    fonts: dict[str, dict[str, Gray]] = {}
    for image, label, font in zip(arrays["x"], arrays["y"].tolist(), arrays["font"].tolist(), strict=True):
        fonts.setdefault(str(font), {})[str(label)] = image.astype(np.uint8, copy=False)
    full = [fonts[name] for name in sorted(fonts) if all(str(digit) in fonts[name] for digit in range(10))]
    return [full[k] for k in _held(len(full), held_out).tolist()]


def _print_fonts(held_out: bool) -> list[Path]:
    """Fonts with letters and digits; a family is held out by its name, so on all machines alike."""
    import matplotlib

    folders = (Path(matplotlib.get_data_path()) / "fonts" / "ttf", *FONT_FOLDERS)
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.ttf")):
            found.setdefault(path.name, path)
    fonts = [
        path
        for name, path in sorted(found.items())
        if name not in OWN_ENCODING
        and (zlib.crc32(name.split("-")[0].removesuffix(".ttf").encode()) % ONE_IN == 0) == held_out
    ]
    fonts = [path for path in fonts if _has_letters(path)]
    if not fonts:
        raise DataError(
            f"no {'held-out ' if held_out else ''}printed font with letters and digits in {folders[0]}"
        )
    return fonts


def _has_letters(path: Path) -> bool:
    """Whether a font has letters and digits, each of its own shape, and not one box for all."""
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(str(path), 16)
        shapes = {bytes(font.getmask(character)) for character in PRINTABLE}
    except OSError:
        return False
    return len(shapes) == len(PRINTABLE)
