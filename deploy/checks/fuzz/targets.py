"""The fuzz targets: each makes a case from a seed, and raises Found if the product breaks its contract.

The contract: a result, or one of digitlens's own errors in one line. run.py detects crashes, hangs and too
much memory from outside.
"""

import random
from collections.abc import Callable
from pathlib import Path

from fuzz.answers import answer
from fuzz.arrays import reader
from fuzz.cases import Ready
from fuzz.documents import archive, pdf_pages, tiff_pages
from fuzz.files import picture
from fuzz.models import ink, model
from fuzz.names import name
from fuzz.page import token
from fuzz.texts import settings
from fuzz.videos import video

TARGETS: dict[str, Callable[[random.Random, Path, Ready], None]] = {
    "reader": reader, "picture": picture, "model": model, "ink": ink, "settings": settings,
    "pdf": pdf_pages, "pages": tiff_pages, "archive": archive,
    "video": video, "name": name, "token": token, "answer": answer,
}  # fmt: skip


def run(target: str, seed: int, folder: Path, ready: Ready = lambda: None) -> None:
    """Run one case; `ready` is called once it is made, before the product runs.

    Raises:
        Found: the product broke its contract.
    """
    TARGETS[target](random.Random(f"{target} {seed}"), folder, ready)
