"""Gives memory back: pages of libraries that only the start needed, and what was freed in the heap."""

import ctypes
import re
import threading
from pathlib import Path

DONTNEED = 4
"""MADV_DONTNEED of madvise(2); the same number on all of Linux's architectures but Alpha."""
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+)")


class StartupMemory:
    """The libraries loaded so far; made while no other thread runs, which may be loading one.

    Loading OpenCV, NumPy and a TFLite interpreter touches 30 MiB of their files that reading never needs
    again. A needed page is mapped again from the page cache at its first touch. Only unmodified pages are
    dropped.
    """

    def __init__(self) -> None:
        self._libraries = _libraries() if threading.active_count() == 1 else {}

    def release(self) -> int:
        """Drop the library pages touched so far; returns the number of mappings.

        Other threads may run by now: of the libraries known, which Python never unloads, only those count
        whose mappings have not changed. Does nothing where there is no /proc.
        """
        madvise = ctypes.CDLL(None).madvise
        madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        found = _libraries() if self._libraries else {}
        return sum(
            madvise(start, end - start, DONTNEED) == 0
            for line, (start, end) in found.items()
            if line in self._libraries
        )


def trim_heap() -> None:
    """Give the heap's free pages back, which lie between others after a frame with thousands of pieces.

    Only glibc has it (malloc_trim(3)); elsewhere nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _libraries() -> dict[str, tuple[int, int]]:
    """The unwritable mappings of libraries without a page of their own, by their lines: start and end."""
    try:
        lines = Path("/proc/self/smaps").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    found, last = {}, ""
    for line in lines:
        if mapping := MAPPING.match(line):
            start, end, rights, inode = mapping.groups()
            of_library = inode != "0" and "w" not in rights and ".so" in line.rpartition("/")[2]
            last = line if of_library else ""
            span = int(start, 16), int(end, 16)
        elif last and line.startswith("Anonymous:") and int(line.split()[1]) == 0:
            found[last] = span
    return found
