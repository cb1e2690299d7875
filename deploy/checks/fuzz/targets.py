"""The targets: each makes a case from a seed, and raises Found if the product breaks its contract.

Its word: a result, or an error of digitlens's own in one line. A crash, a hang and too much memory are seen
from outside, by run.py.
"""

import random
from collections.abc import Callable
from pathlib import Path

from fuzz.arrays import reader
from fuzz.cases import Ready
from fuzz.files import picture
from fuzz.models import model
from fuzz.texts import settings

TARGETS: dict[str, Callable[[random.Random, Path, Ready], None]] = {
    "reader": reader, "picture": picture, "model": model, "settings": settings,
}  # fmt: skip


def run(target: str, seed: int, folder: Path, ready: Ready = lambda: None) -> None:
    """One case; `ready` is called when it is made, and the product's part begins.

    Raises:
        Found: the product did not keep its word.
    """
    TARGETS[target](random.Random(f"{target} {seed}"), folder, ready)
