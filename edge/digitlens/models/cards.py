"""The JSON card beside each model file: contents, input and output, accuracy, and how to make it again."""

import hashlib
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from digitlens.core.errors import ModelError

Quantization = Literal["float32", "float16", "dynamic", "int8"]
SUFFIXES = {
    "tflite": ".tflite",
    "hog-svm": ".npz",
    "strips": ".tflite",
    "ink": ".tflite",
    "perceptron": ".npz",
}


class TensorSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network's input or output: shape (-1 for any size), dtype; a value is scale * (q - zero_point)."""

    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Accuracy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Right answers on a test set; `interval` is the 95 % interval of `fraction`, 0 to 1.

    It is Wilson's (1927); of pixels, which depend on one another, a bootstrap's over their pictures.
    """

    set: str
    right: int
    total: int
    fraction: float
    interval: tuple[float, float]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model file's card; `sha256` is the digest of the file's bytes.

    A network with a `temperature` gives eleven logits: the ten digits and *not a digit*;
    softmax(logits / temperature) are its calibrated probabilities. A glyph whose best digit is less
    probable than `threshold` is no digit. `others` is the fraction of non-digits in its training data.
    A network of kind `ink` classifies a picture's pixels (digitlens.paper.network), one of kind
    `perceptron` makes a small decision (digitlens.models.perceptron).
    A network of kind `strips` reads rows (digitlens.rows.recognizer): each output holds two columns of 21
    logits.
    """

    format: Literal[1] = 1
    name: str
    kind: Literal["tflite", "hog-svm", "strips", "ink", "perceptron"]
    description: str
    bytes: int
    sha256: str
    quantization: Quantization
    input: TensorSpec
    output: TensorSpec
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
    """The names of the shipped models that read glyphs, or that read rows."""
    kinds = ("strips",) if rows else ("tflite", "hog-svm")
    found = {path.stem: path for path in _shipped().iterdir() if path.suffix == ".json"}
    return sorted(
        name
        for name, path in found.items()
        if msgspec.json.decode(path.read_bytes(), type=_Kind).kind in kinds
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
    """A model file's card and its bytes, checked against the card's digest.

    Raises:
        ModelError: the card is missing or broken, or the bytes do not fit it.
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
    """Write the card as JSON, one field per line."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n")


def digest(content: bytes) -> str:
    """The sha256 of a model file's bytes, as in its card."""
    return hashlib.sha256(content).hexdigest()


def _shipped() -> Path:
    return Path(str(resources.files("digitlens"))) / "models"
