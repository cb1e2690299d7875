"""The JSON card beside each model file: what it is, what it takes, how good it is, how to make it again."""

import hashlib
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from digitlens.core.errors import ModelError

Quantization = Literal["float32", "float16", "dynamic", "int8"]
SUFFIXES = {"tflite": ".tflite", "hog-svm": ".npz", "strips": ".tflite"}


class Port(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network's input or output: shape (-1 for the batch), dtype, real = scale * (q - zero_point)."""

    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Accuracy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Right answers on a test set; `interval` is Wilson's 95 % interval, both as fractions."""

    set: str
    right: int
    total: int
    fraction: float
    interval: tuple[float, float]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model file's card. `sha256` is that of the file's bytes.

    A network with a `temperature` gives logits, eleven of them: the ten digits and *not a digit*;
    softmax(logits / temperature) are its calibrated probabilities. A glyph whose best digit is less
    probable than `threshold` is no digit. `others` is the part of what is no digit in what it learnt.
    One of kind `strips` reads rows (digitlens.rows.recognizer): its logits are of two columns each, 13 a
    column.
    """

    format: Literal[1] = 1
    name: str
    kind: Literal["tflite", "hog-svm", "strips"]
    description: str
    bytes: int
    sha256: str
    quantization: Quantization
    input: Port
    output: Port
    training_data: str
    accuracy: Accuracy
    make_again: tuple[str, ...]
    temperature: float | None = None
    threshold: float | None = None
    others: float | None = None
    license: str = "MIT"


class _Kind(msgspec.Struct, frozen=True):
    kind: str


def names(rows: bool = False) -> list[str]:
    """The names of the shipped models that read glyphs, or of those that read rows."""
    found = {path.stem: path for path in _shipped().iterdir() if path.suffix == ".json"}
    return sorted(
        name
        for name, path in found.items()
        if (msgspec.json.decode(path.read_bytes(), type=_Kind).kind == "strips") == rows
    )


def find(name_or_path: str | Path) -> Path:
    """The model file of a shipped name, or of a path.

    Raises:
        ModelError: there is no such name and no such file.
    """
    for suffix in SUFFIXES.values():
        shipped = _shipped() / f"{name_or_path}{suffix}"
        if "/" not in str(name_or_path) and shipped.exists():
            return shipped
    path = Path(name_or_path)
    if not path.is_file():
        raise ModelError(f"{name_or_path}: no such model; take one of {', '.join(names())}, or a file's path")
    return path


def load(path: Path) -> tuple[Card, bytes]:
    """A model file's card and its bytes, which are proven to be the card's.

    Raises:
        ModelError: there is no card beside it, the card is broken, or the bytes are others.
    """
    card_path = path.with_suffix(".json")
    try:
        card = msgspec.json.decode(card_path.read_bytes(), type=Card)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: has no card; {card_path.name} must stand beside it") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{card_path}: not a model's card: {error}") from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    if digest(content) != card.sha256:
        raise ModelError(
            f"{path}: its bytes do not fit its card (sha256 differs); "
            "copy the model and its card again, or make both again with digitlens_convert"
        )
    return card, content


def save(card: Card, path: Path) -> None:
    """Write the card as JSON, one field a line."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n")


def digest(content: bytes) -> str:
    """The sha256 of a model file's bytes, as the card holds it."""
    return hashlib.sha256(content).hexdigest()


def _shipped() -> Path:
    return Path(str(resources.files("digitlens"))) / "models"
