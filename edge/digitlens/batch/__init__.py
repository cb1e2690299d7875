"""Archives: sources of documents, and what reads them in bulk.

`Batch` is imported when it is first used, and Ray and pyarrow only by what needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlens.batch.batch import Batch

__all__ = ["Batch"]


def __getattr__(name: str) -> object:
    """Import Batch when it is first asked for (PEP 562)."""
    if name != "Batch":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("digitlens.batch.batch"), name)
