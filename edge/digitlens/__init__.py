"""digitlens reads handwritten digits from paper, on a Raspberry Pi.

Importing it loads nothing but this module; a name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from digitlens.core.version import __version__ as __version__

if TYPE_CHECKING:
    from digitlens.core.errors import DependencyError, DigitLensError, ModelError, PictureError
    from digitlens.core.readings import Digit, Number, Reading
    from digitlens.images.overlay import draw
    from digitlens.models.classifier import Classifier
    from digitlens.reader import Reader

_MODULES = {
    "Classifier": "digitlens.models.classifier",
    "DependencyError": "digitlens.core.errors",
    "Digit": "digitlens.core.readings",
    "DigitLensError": "digitlens.core.errors",
    "ModelError": "digitlens.core.errors",
    "Number": "digitlens.core.readings",
    "PictureError": "digitlens.core.errors",
    "Reader": "digitlens.reader",
    "Reading": "digitlens.core.readings",
    "draw": "digitlens.images.overlay",
}
"""Where each public name is defined."""

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


def __getattr__(name: str) -> object:
    """Import the module of a public name when it is first asked for (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
