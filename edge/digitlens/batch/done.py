"""Which documents are done: sixteen bytes each, and the last page of the unfinished ones."""

from hashlib import blake2b

import numpy as np

RECENT = 1 << 14
"""Documents that are kept in a set before they become a sorted array."""
WIDTH = 16
"""Size of a hash; of 10^8 ids two have the same by chance once in 10^22 runs; bytes."""


class Done:
    """Ids of documents, as hashes: a set of the newest, and sorted arrays of the others."""

    def __init__(self) -> None:
        self._recent: set[bytes] = set()
        self._older: list[np.ndarray[tuple[int], np.dtype[np.bytes_]]] = []
        self._begun: dict[str, int] = {}
        self.documents = self.pages = self.failed = 0

    def add(self, name: str, page: int, last: bool) -> None:
        """Add a page; a document is done with its last one."""
        self.pages += 1
        if not last:
            self._begun[name] = max(page, self._begun.get(name, 0))
            return
        self._begun.pop(name, None)
        self.documents += 1
        self._recent.add(_hash(name))
        if len(self._recent) >= RECENT:
            new = np.sort(np.array(list(self._recent), f"S{WIDTH}"))
            self._recent.clear()
            while self._older and len(self._older[-1]) <= len(new):  # merged as binary digits carry
                new = np.sort(np.concatenate([self._older.pop(), new]))
            self._older.append(new)

    def __contains__(self, name: str) -> bool:
        value = _hash(name)
        return value in self._recent or any(_has(older, value) for older in self._older)

    def begin(self, name: str) -> int:
        """The page from which a document that is not done goes on."""
        return self._begun.get(name, 0) + 1


def _hash(name: str) -> bytes:
    return blake2b(name.encode(errors="surrogatepass"), digest_size=WIDTH).digest()


def _has(ordered: np.ndarray[tuple[int], np.dtype[np.bytes_]], value: bytes) -> bool:
    place = int(np.searchsorted(ordered, np.array(value, f"S{WIDTH}")))
    return place < len(ordered) and bytes(ordered[place]) == value.rstrip(b"\0")
