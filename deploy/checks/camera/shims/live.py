"""The digitlens command, with a Picamera2 that takes libcamera's virtual camera."""

import sys

import picamera2
from digitlens.cli import main
from picamera2.allocators.libcameraallocator import LibcameraAllocator


class VirtualPicamera2(picamera2.Picamera2):
    """The virtual camera has no raw stream to choose a mode by, and only takes buffers that it made."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.allocator = LibcameraAllocator(self.camera)

    def _get_raw_modes(self) -> list[dict[str, object]]:
        return [{"format": "SRGGB10", "size": (1280, 720)}]


picamera2.Picamera2 = VirtualPicamera2
sys.exit(main())
