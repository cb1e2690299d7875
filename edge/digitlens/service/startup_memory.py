"""What a process keeps in memory of the libraries that it has loaded."""

import ctypes
import re
import threading
from pathlib import Path

DONTNEED = 4
"""MADV_DONTNEED of madvise(2), the same number on every processor that Linux runs on but one."""
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+)")


def release_start() -> int:
    """Unmap the pages of libraries that the start has touched; how many mappings that were.

    To load OpenCV, NumPy and a TFLite interpreter touches 30 MiB of their files that reading never needs
    again. What is needed is mapped again at the first touch, out of the page cache, without the disk. Only
    pages that are as they are in the file are let go. While other threads run, one of them may be loading a
    library, whose mappings change under our eyes: nothing is done then, and nothing where there is no /proc.
    """
    if threading.active_count() > 1:
        return 0
    try:
        lines = Path("/proc/self/smaps").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    released, where = 0, (0, 0)
    for line in lines:
        if mapping := MAPPING.match(line):
            start, end, rights, inode = mapping.groups()
            of_library = inode != "0" and "w" not in rights and ".so" in line.rpartition("/")[2]
            where = (int(start, 16), int(end, 16)) if of_library else (0, 0)
        elif where[1] and line.startswith("Anonymous:") and int(line.split()[1]) == 0:
            released += madvise(where[0], where[1] - where[0], DONTNEED) == 0
    return released
