"""Picture files by Pillow: decoded as a viewer would show them, and written."""

import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from digitlens.core.errors import PictureError, reason

Pixels = npt.NDArray[np.uint8]

# Named, because Pillow would also start other programs for some formats. The frequent ones first:
# for the last two it imports all its plugins.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
MOST_PIXELS = 50_000_000
"""Decoded at once; larger ones are refused before their pixels are touched."""
ENOUGH = 1280
"""Pixels of the longer side that are enough: a JPEG of twice this and more is decoded at half or less."""
MOST_BYTES = 200_000_000
"""Of memory that decoding may take; what would take more is refused as well."""
LARGE = 6_000_000
"""Pixels above which another picture is reduced as soon as it is decoded, before there are copies of it."""
BYTES = {"1": 1, "L": 1, "P": 5, "I;16": 5}
"""Of each pixel in Pillow's memory, those of a palette's colors included; of all other modes 4."""
REDUCIBLE = ("JPEG", "MPO")
"""What can be decoded at a half of its size or less."""
TIFFS = {b"II*\0": ("<", 4), b"MM\0*": (">", 4), b"II+\0": ("<", 8), b"MM\0+": (">", 8)}
"""How a TIFF begins: its byte order, and the bytes of its offsets."""
BYTEWISE = (1, 2, 6, 7)
"""TIFF's types of one byte, which stay bytes in memory; of all others Pillow makes a tuple of numbers."""
MOST_NUMBERS = 1_000_000
"""Of a TIFF's tag: a page has fewer rows."""
POINTER = 8
"""Bytes that Pillow keeps besides for each row: of a picture one pixel wide they are most of it."""
CODEC_BYTES = {"WEBP": 20, "GIF": 9}
"""The same for the formats whose decoders keep several pictures."""


def decoded(path: Path, color: bool) -> tuple[Pixels, tuple[int, int]]:
    """The picture (H, W) gray or (H, W, 3) BGR, and the file's own width and height.

    Raises:
        PictureError: it cannot be read.
    """
    mode = "RGB" if color else "L"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size (judged below) and of odd metadata
            if _has_long_tag(path):
                raise Image.DecompressionBombError
            with Image.open(path, formats=FORMATS) as image:
                if image.format not in REDUCIBLE:  # to look for a PNG's orientation decodes it
                    _judge(image, image.size)
                turned = image.getexif().get(0x0112, 1) >= 5  # lies on its side
                size = (image.height, image.width) if turned else image.size
                shrink = min(1.0, ENOUGH / max(image.size))
                image.draft(mode, (max(1, int(image.width * shrink)), max(1, int(image.height * shrink))))
                _judge(image, size)
                pixels = _pixels(ImageOps.exif_transpose(_reduced(image)), mode)
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{path}: too large; at most {MOST_PIXELS // 1_000_000} million pixels are read, and fewer of a "
            "kind that takes much memory: scale it down"
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{path}: not a picture ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's decoders have a dozen ways to stumble over a broken file
        raise PictureError(f"{path}: {reason(error)}") from error
    return pixels, size


def _has_long_tag(path: Path) -> bool:
    """Whether it is a TIFF with a tag of so many numbers that they would take more memory than a picture."""
    with path.open("rb") as file:
        order, wide = TIFFS.get(file.read(4), ("", 0))
        if not order:
            return False
        if wide == 8:
            file.seek(8)
        number = "I" if wide == 4 else "Q"
        (place,) = struct.unpack(order + number, file.read(wide))
        file.seek(place)
        many = "H" if wide == 4 else "Q"
        (count,) = struct.unpack(order + many, file.read(struct.calcsize(order + many)))
        entry = struct.Struct(f"{order}HH{number}{wide}x")
        entries = file.read(entry.size * min(count, 1 << 16))
    return any(
        kind not in BYTEWISE and length > MOST_NUMBERS
        for _, kind, length in entry.iter_unpack(entries[: len(entries) // entry.size * entry.size])
    )


def _judge(image: Image.Image, size: tuple[int, int]) -> None:
    """Raises DecompressionBombError where decoding would take too much; `size` is that of the file."""
    if image.width * image.height > MOST_PIXELS or _memory(image, size) > MOST_BYTES:
        raise Image.DecompressionBombError


def _memory(image: Image.Image, size: tuple[int, int]) -> int:
    """Bytes that decoding takes; `size` is that of the file, which a JPEG need not be decoded at."""
    each = BYTES.get(image.mode, 4) + 4 * image.has_transparency_data  # multiplied with the colors in a copy
    each = CODEC_BYTES.get(image.format or "", each)
    taken = image.width * image.height * each + POINTER * image.height
    layers = getattr(image, "layer", None)
    if image.info.get("progressive") and layers:  # its coefficients are all kept, at full size
        most = max(across * down for _, across, down, *_ in layers)
        taken += 2 * size[0] * size[1] * sum(across * down for _, across, down, *_ in layers) // max(most, 1)
    return taken


def _reduced(image: Image.Image) -> Image.Image:
    """A large picture at half its size or less, as a JPEG is decoded; others as they are."""
    step = max(image.size) // ENOUGH
    if image.width * image.height <= LARGE or step < 2:
        return image
    orientation = image.getexif().get(0x0112, 1)
    if image.mode.startswith("I;16"):
        size = max(1, image.width // step), max(1, image.height // step)
        small = Image.fromarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA))
    elif image.mode in ("1", "P"):
        opaque = not image.has_transparency_data
        small = image.convert(("L" if image.mode == "1" else "RGB") if opaque else "RGBA").reduce(step)
    else:
        small = image.reduce(step)
    small.getexif()[0x0112] = orientation
    return small


def _pixels(image: Image.Image, mode: str) -> Pixels:
    """Any of Pillow's modes -> gray, or BGR for mode RGB."""
    if image.mode.startswith(("I", "F")):  # 16 bits, which convert() would clip; or floating point
        values = np.asarray(image).astype(np.float32)
        top = max(float(np.max(values)), 1.0) if image.mode == "F" else 65535.0
        image = Image.fromarray((values.clip(0, top) * (255 / top)).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    pixels = np.asarray(image.convert(mode))
    return pixels if mode == "L" else np.ascontiguousarray(pixels[..., ::-1])


def save(path: Path, pixels: Pixels) -> None:
    """Write (H, W) gray or (H, W, 3) BGR by the suffix of `path`.

    Raises:
        PictureError: it cannot be written.
    """
    try:
        Image.fromarray(pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])).save(path)
    except (OSError, ValueError) as error:
        raise PictureError(f"{path}: cannot be written: {reason(error)}") from error
