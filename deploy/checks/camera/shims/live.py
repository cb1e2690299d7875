"""The digitlens command, with a Picamera2 that takes libcamera's virtual camera."""

import os
import sys
import time

import picamera2
from picamera2.allocators.libcameraallocator import LibcameraAllocator

from digitlens.commands.main import main

PACE = 1 / 30
SILENT = int(os.environ.get("SILENT_AFTER", "0"))
"""Frames after which the first camera that is opened stalls without an error; 0 is never."""


class VirtualPicamera2(picamera2.Picamera2):
    """The virtual camera has no raw stream to choose a mode by, and only takes buffers that it made.

    Nor has it a pace: it fills all buffers at once. Here one is handed on a thirtieth of a second, as by a
    sensor, only that each has waited for those before it and is some 150 ms old.
    """

    opened = 0

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.allocator = LibcameraAllocator(self.camera)
        self._first = not VirtualPicamera2.opened
        VirtualPicamera2.opened += 1

    def _get_raw_modes(self) -> list[dict[str, object]]:
        return [{"format": "SRGGB10", "size": (1280, 720)}]

    def process_requests(self, display: object) -> None:
        """Only the oldest; the others wait."""
        if SILENT and self._first and self.frames >= SILENT:
            return
        with self._requestslock:
            rest, self._requests = self._requests[1:], self._requests[:1]
        shown = bool(self._requests)
        super().process_requests(display)
        time.sleep(PACE if shown else 0)
        with self._requestslock:
            self._requests = rest + self._requests
            if self._requests:
                self._run_process_requests()


picamera2.Picamera2 = VirtualPicamera2
sys.exit(main())
