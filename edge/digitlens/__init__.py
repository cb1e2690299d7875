"""digitlens reads handwritten digits from paper, on a Raspberry Pi."""

from digitlens.classify import Classifier
from digitlens.errors import DependencyError, DigitLensError, ModelError, PictureError
from digitlens.overlay import draw
from digitlens.reader import Reader
from digitlens.readings import Digit, Number, Reading

__version__ = "0.1.0"

__all__ = [
    "Classifier",
    "DependencyError",
    "Digit",
    "DigitLensError",
    "ModelError",
    "Number",
    "PictureError",
    "Reader",
    "Reading",
    "draw",
]
