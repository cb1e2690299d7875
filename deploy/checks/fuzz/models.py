"""Model files and their cards -> Classifier.load, RowRecognizer.load and InkNetwork.load."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from digitlens.core.errors import ModelError
from digitlens.models import cards
from digitlens.models.classifier import Classifier
from digitlens.paper.network import CLASSES, InkNetwork
from digitlens.rows.recognizer import RowRecognizer
from fuzz.cases import Found, Ready, mutated, one_line


def model(case: random.Random, folder: Path, ready: Ready) -> None:
    """Models whose bytes or cards were mutated: refused, or usable."""
    _load_mutated(case.choice(["digits", "seed", "svm", "numbers"]), case, folder, ready)


def ink(case: random.Random, folder: Path, ready: Ready) -> None:
    """The same with the network `ink`."""
    _load_mutated("ink", case, folder, ready)


def _load_mutated(name: str, case: random.Random, folder: Path, ready: Ready) -> None:
    file = cards.find(name)
    path = folder / file.name
    card = path.with_suffix(".json")
    shutil.copy(file, path)
    shutil.copy(file.with_suffix(".json"), card)
    which = case.choice(["bytes", "card", "fields", "npz"])
    ready()
    if which == "bytes":
        content = mutated(case, path.read_bytes())
        changed = content != path.read_bytes()
        path.write_bytes(content)
        if _loads(path) and changed:
            raise Found(f"{path.name}: mutated bytes were accepted")
        return
    if which == "npz" and name == "svm":  # with a matching card, as an attacker would
        path.write_bytes(mutated(case, path.read_bytes()))
        fields = json.loads(card.read_bytes()) | {"sha256": cards.digest(path.read_bytes())}
        card.write_text(json.dumps(fields))
    elif which == "card":
        card.write_bytes(mutated(case, card.read_bytes()))
    else:
        card.write_text(json.dumps(_changed(case, json.loads(card.read_bytes()))))
    _loads(path)


def _loads(path: Path) -> bool:
    try:
        if path.stem == "ink":
            logits = InkNetwork.load(path).logits(np.full((33, 70), 200, np.uint8))
            if logits.shape != (17, 35, CLASSES):
                raise Found(f"gives {logits.shape}")
        elif "strips" in path.with_suffix(".json").read_text(errors="replace"):
            strips = RowRecognizer.load(path)
            strips.read(np.full((32, 128), 200, np.uint8))
        else:
            chances = Classifier.load(path).probabilities(np.zeros((3, 28, 28), np.uint8))
            if chances.shape != (3, 10):
                raise Found(f"gives {chances.shape}")
    except ModelError as error:
        one_line(error)
        return False
    return True


ODD = [
    None,
    -1,
    0,
    1,
    2**63,
    1e300,
    -0.5,
    "",
    "x",
    "tflite",
    "strips",
    "hog-svm",
    "float32",
    "uint8",
    [],
    [1],
    {},
    True,
]


def _changed(case: random.Random, value: Any) -> Any:
    """The JSON value with one field missing, replaced or changed inside."""
    if isinstance(value, dict) and value:
        key = case.choice(list(value))
        how = case.randrange(4)
        if how == 0:
            return {name: field for name, field in value.items() if name != key}
        return value | {key: case.choice(ODD) if how == 1 else _changed(case, value[key])}
    if isinstance(value, list) and value and case.random() < 0.7:
        place = case.randrange(len(value))
        return [*value[:place], _changed(case, value[place]), *value[place + 1 :]]
    return case.choice(ODD)
