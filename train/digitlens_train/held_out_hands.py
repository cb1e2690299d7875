"""Strips by writers and fonts that taught nothing, with a labels.json for digitlens_convert papers."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from digitlens.images import pictures
from digitlens.rows.recognizer import LETTER
from digitlens_train import row_photos, row_writer, strokes, traced_writing, trajectories, writing
from digitlens_train.crops import Sources
from digitlens_train.data import DataError
from digitlens_train.paper.material import Material
from digitlens_train.writing import Character, Hand

Draw = Callable[[Material, Hand, np.random.Generator], tuple[Character, str] | None]
"""A character by a hand and its text, "" where it holds no digit; None where the material has none."""


def _digit(material: Material, hand: Hand, random: np.random.Generator) -> tuple[Character, str]:
    stroke, label = trajectories.digit(
        material, random, writer=None, pen=hand.pen * strokes.INNER, fonts=False
    )
    return _inked(stroke, label, hand, random), str(label)


def _slashed_zero(material: Material, hand: Hand, random: np.random.Generator) -> tuple[Character, str]:
    stroke, _ = trajectories.digit(
        material, random, 0, pen=hand.pen * strokes.INNER, fonts=False, slashed=1.0
    )
    return _inked(stroke, 0, hand, random), "0"


def _font(material: Material, hand: Hand, random: np.random.Generator) -> tuple[Character, str] | None:
    if not material.hand_fonts:
        return None
    label = int(random.integers(10))
    font = material.hand_fonts[int(random.integers(len(material.hand_fonts)))]
    return _inked(strokes.enlarge(font[str(label)]), label, hand, random), str(label)


def _string(material: Material, hand: Hand, random: np.random.Generator) -> tuple[Character, str] | None:
    return traced_writing.string_and_text(material, hand, random)


def _capital(material: Material, hand: Hand, random: np.random.Generator) -> tuple[Character, str] | None:
    if material.upper is None:
        return None
    index = int(material.upper.chosen[random.integers(len(material.upper.chosen))])
    stroke = trajectories.drawn(material.upper.shape(index), random, pen=hand.pen * strokes.INNER)
    return _inked(stroke, LETTER, hand, random), ""


KINDS: dict[str, Draw] = {
    "digit": _digit,
    "slashed_zero": _slashed_zero,
    "font": _font,
    "number": _string,
    "capital": _capital,
}
"""What a strip shows: a single digit, a number as it was written, a capital letter alone."""


def write(out: Path, data: Path, seed: int, count: int) -> None:
    """Write `count` strips of each kind to the new folder `out`.

    Raises:
        DataError: the folder exists, or a file of `data` is missing or broken.
        PictureError: the folder or a file cannot be written.
    """
    if out.exists():
        raise DataError(f"{out}: exists already; name a new folder with --out")
    material = Material.load(data, "held_out")
    blank = [np.full((28, 28), 255, np.uint8)], np.zeros(1, np.uint8)
    sources = Sources([blank], [], material)
    pictures.make_folder(out)
    cv2.setNumThreads(1)
    labels = {}
    for place, (kind, draw) in enumerate(KINDS.items()):
        number = seen = 0
        while seen < count:
            random = np.random.default_rng((seed, place, number))
            number += 1
            hand = Hand.draw(random)
            drawn = draw(material, hand, random)
            if drawn is None:
                if number > 100 * count:
                    raise DataError(f"{data}: no {kind} to draw")
                continue
            row = row_writer.written([drawn[0]], hand, random)
            strip = row_photos.strip_of(row, hand, sources, random, alone=True)
            if strip is None:
                continue
            file = f"{kind}_{seen:04}.png"
            pictures.save(out / file, strip[0])
            labels[file] = {"numbers": [drawn[1]] if drawn[1] else [], "kind": kind}
            seen += 1
    (out / "labels.json").write_text(json.dumps(labels, indent=1))


def _inked(stroke: strokes.Stroke, label: int, hand: Hand, random: np.random.Generator) -> Character:
    return writing.inked(writing.picture_of(stroke), label, hand, random, 1.0)
