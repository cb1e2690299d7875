"""What a finished run says of itself, for the card of the model that comes of it."""

from pathlib import Path
from typing import Literal

import msgspec


class About(msgspec.Struct, frozen=True):
    """Written as about.json beside the fitted model."""

    name: str
    kind: Literal["tflite", "hog-svm"]
    description: str
    training_data: str
    make_again: tuple[str, ...]


def finish(out: Path, about: About) -> None:
    """Mark the run in folder `out` as finished."""
    (out / "about.json").write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n")
