"""Batch: documents' bytes in, rows out; a class to hand to Ray, Dask or Daft."""

from collections.abc import Iterable, Mapping
from typing import Any

from digitlens.batch.documents import read_document
from digitlens.batch.item import Item
from digitlens.batch.numbers import NumberOptions
from digitlens.batch.rows import PageReader, PageReaderOptions, columns
from digitlens.batch.writers import arrow_table


class Batch:
    """Reads batches of documents; the models are loaded with the first one, once a process.

        ray.data.read_binary_files(PATHS, include_paths=True).map_batches(Batch, concurrency=4)

    Args:
        options: of the page reader; None reads the numbers as `digitlens read` does.
    """

    def __init__(self, options: PageReaderOptions | None = None) -> None:
        self._options = options or NumberOptions()
        self._reader: PageReader | None = None

    def __call__(self, batch: Mapping[str, Iterable[Any]]) -> Any:
        """Columns `bytes` and `path` (`id` in its place, or beside it) -> a pyarrow.Table of numbers.

        What cannot be read is a row with its reason. Every document's pages are in it, in their order.

        Raises:
            KeyError: a column is missing.
            DependencyError: pyarrow is not installed.
        """
        if self._reader is None:
            self._reader = self._options.open()
        sources = [str(source) for source in batch["path" if "path" in batch else "id"]]
        names = [str(name) for name in batch["id"]] if "id" in batch else sources
        results = [
            result
            for name, source, content in zip(names, sources, batch["bytes"], strict=True)
            for result in read_document(Item(name, source, data=bytes(content)), self._reader)
        ]
        return arrow_table("numbers", columns(results)["numbers"])
