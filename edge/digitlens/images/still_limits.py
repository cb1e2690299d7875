"""What decoding a picture may cost: its size and a TIFF's tags, known before anything is decoded."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from PIL import Image

MOST_PIXELS = 50_000_000
"""Largest picture; larger ones are refused before they are decoded; in pixels."""
MOST_BYTES = 200_000_000
"""Largest memory that decoding may take, in bytes."""
BYTES = {"1": 1, "L": 1, "P": 5, "I;16": 5}
"""Size of a pixel in Pillow's memory, a palette's colors included; 4 in all other modes; in bytes."""
CODEC_BYTES = {"WEBP": 20, "GIF": 9, "HEIF": 8, "AVIF": 8}
"""Size of a pixel in formats whose decoders keep several pictures, in bytes."""
POINTER = 8
"""Size of Pillow's pointer to each row, most of a picture one pixel wide; in bytes."""
TIFFS = {b"II*\0": ("<", 4), b"MM\0*": (">", 4), b"II+\0": ("<", 8), b"MM\0+": (">", 8)}
"""A TIFF's signature -> its byte order, and the size of its offsets in bytes."""
BYTEWISE = (1, 2, 6, 7)
"""TIFF's one-byte types, which stay bytes in memory; Pillow makes tuples of numbers of all others."""
MOST_NUMBERS = 1_000_000
"""Longest tag of a TIFF, more than a page has rows; in numbers."""
MOST_TAGS = 1 << 16
SUBFILE = 254
"""TIFF's tag of what kind of picture a directory is of."""
NOT_A_PAGE = 1 | 4
"""Its bits for a picture of lower resolution, such as a preview, and for a mask."""


class Directory(NamedTuple):
    """One of a TIFF's directories: whether one of its tags is too long, and whether it is a page."""

    long: bool
    page: bool


def directories(file: BinaryIO) -> Iterator[Directory]:
    """A TIFF's directories in their order; none of another file. It may go round in a circle.

    Raises:
        struct.error: a directory is cut off.
    """
    order, wide = TIFFS.get(file.read(4), ("", 0))
    if not order:
        return
    if wide == 8:
        file.seek(8)
    offset = struct.Struct(order + ("I" if wide == 4 else "Q"))
    many = struct.Struct(order + ("H" if wide == 4 else "Q"))
    entry = struct.Struct(f"{order}HH{offset.format[-1]}{wide}s")
    (place,) = offset.unpack(file.read(wide))
    while place:
        file.seek(place)
        (count,) = many.unpack(file.read(many.size))
        entries = file.read(entry.size * min(count, MOST_TAGS))
        tags = list(entry.iter_unpack(entries[: len(entries) // entry.size * entry.size]))
        long = any(kind not in BYTEWISE and length > MOST_NUMBERS for _, kind, length, _ in tags)
        subfile = next((value for tag, _, _, value in tags if tag == SUBFILE), b"\0\0\0\0")
        (bits,) = struct.unpack(order + "I", subfile[:4])
        yield Directory(long, not bits & NOT_A_PAGE)
        following = file.read(wide)
        place = offset.unpack(following)[0] if len(following) == wide and count <= MOST_TAGS else 0


def check_size(image: Image.Image, size: tuple[int, int]) -> None:
    """Raise DecompressionBombError if decoding would take too much; `size` is the file's own, in pixels."""
    if image.width * image.height > MOST_PIXELS or _memory(image, size) > MOST_BYTES:
        raise Image.DecompressionBombError


def _memory(image: Image.Image, size: tuple[int, int]) -> int:
    """The memory that decoding takes, in bytes; `size` is the file's own, a JPEG may be decoded smaller."""
    each = BYTES.get(image.mode, 4) + 4 * image.has_transparency_data  # premultiplied in a copy
    each = CODEC_BYTES.get(image.format or "", each)
    taken = image.width * image.height * each + POINTER * image.height
    layers = getattr(image, "layer", None)
    if image.info.get("progressive") and layers:  # keeps all coefficients, at full size
        most = max(across * down for _, across, down, *_ in layers)
        taken += 2 * size[0] * size[1] * sum(across * down for _, across, down, *_ in layers) // max(most, 1)
    return taken
