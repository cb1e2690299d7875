"""Frees the pages of libraries that only the start needed."""

import ctypes
import re
import threading
from pathlib import Path

DONTNEED = 4
"""MADV_DONTNEED of madvise(2); the same number on all of Linux's architectures but Alpha."""
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+)")


def release_start() -> int:
    """Drop the library pages that the start has touched; returns the number of mappings.

    Loading OpenCV, NumPy and a TFLite interpreter touches 30 MiB of their files that reading never needs
    again. A needed page is mapped again from the page cache at its first touch. Only unmodified pages are
    dropped. Does nothing while other threads run, because one may be loading a library and changing its
    mappings, nor where there is no /proc.
    """
    if threading.active_count() > 1:
        return 0
    try:
        lines = Path("/proc/self/smaps").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    released, span = 0, (0, 0)
    for line in lines:
        if mapping := MAPPING.match(line):
            start, end, rights, inode = mapping.groups()
            of_library = inode != "0" and "w" not in rights and ".so" in line.rpartition("/")[2]
            span = (int(start, 16), int(end, 16)) if of_library else (0, 0)
        elif span[1] and line.startswith("Anonymous:") and int(line.split()[1]) == 0:
            released += madvise(span[0], span[1] - span[0], DONTNEED) == 0
    return released
