"""Picture files by Pillow: decoded as a viewer shows them, and written."""

import stat
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from digitlens.core.arrays import Pixels
from digitlens.core.errors import PictureError, reason

# Named, because Pillow starts other programs for some formats. The frequent ones come first: for the last
# two it imports all its plugins.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
MOST_PIXELS = 50_000_000
"""Largest picture; larger ones are refused before they are decoded; in pixels."""
ENOUGH = 1280
"""Longer side that is enough: a JPEG of at least twice this is decoded at half or less; in pixels."""
MOST_BYTES = 200_000_000
"""Largest memory that decoding may take, in bytes."""
LARGE = 6_000_000
"""Size above which other formats are reduced once decoded, before they are copied; in pixels."""
BYTES = {"1": 1, "L": 1, "P": 5, "I;16": 5}
"""Size of a pixel in Pillow's memory, a palette's colors included; 4 in all other modes; in bytes."""
REDUCIBLE = ("JPEG", "MPO")
"""Formats that can be decoded at half their size or less."""
TIFFS = {b"II*\0": ("<", 4), b"MM\0*": (">", 4), b"II+\0": ("<", 8), b"MM\0+": (">", 8)}
"""A TIFF's signature -> its byte order, and the size of its offsets in bytes."""
BYTEWISE = (1, 2, 6, 7)
"""TIFF's one-byte types, which stay bytes in memory; Pillow makes tuples of numbers of all others."""
MOST_NUMBERS = 1_000_000
"""Longest tag of a TIFF, more than a page has rows; in numbers."""
POINTER = 8
"""Size of Pillow's pointer to each row, most of a picture one pixel wide; in bytes."""
CODEC_BYTES = {"WEBP": 20, "GIF": 9}
"""Size of a pixel in formats whose decoders keep several pictures, in bytes."""

MARK = b"written by digitlens"
"""Text in the pictures that we write, by which they are known again."""
MARK_WITHIN = 1024
"""Length at the beginning of a file that holds it, in bytes."""


def decoded(path: Path, color: bool) -> tuple[Pixels, tuple[int, int]]:
    """The picture (H, W) gray or (H, W, 3) BGR, and the file's own width and height.

    Raises:
        PictureError: it cannot be read.
    """
    mode = "RGB" if color else "L"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which is checked below, and odd metadata
            if _has_long_tag(path):
                raise Image.DecompressionBombError
            with Image.open(path, formats=FORMATS) as image:
                if image.format not in REDUCIBLE:  # looking for a PNG's orientation decodes it
                    _check_size(image, image.size)
                turned = image.getexif().get(0x0112, 1) >= 5  # by 90 degrees
                size = (image.height, image.width) if turned else image.size
                shrink = min(1.0, ENOUGH / max(image.size))
                image.draft(mode, (max(1, int(image.width * shrink)), max(1, int(image.height * shrink))))
                _check_size(image, size)
                pixels = _pixels(ImageOps.exif_transpose(_reduced(image)), mode)
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{path}: too large; at most {MOST_PIXELS // 1_000_000} million pixels are read, and fewer of a "
            "kind that takes much memory: scale it down"
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{path}: not a picture ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors on broken files
        raise PictureError(f"{path}: {reason(error)}") from error
    return pixels, size


def _has_long_tag(path: Path) -> bool:
    """Whether it is a TIFF with a tag whose numbers would take more memory than a picture."""
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


def _check_size(image: Image.Image, size: tuple[int, int]) -> None:
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


def _reduced(image: Image.Image) -> Image.Image:
    """A large picture at half its size or less, as a JPEG is decoded; others unchanged."""
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
    """Write (H, W) gray or (H, W, 3) BGR by the suffix of `path`; of what is there, only our own is replaced.

    Raises:
        PictureError: it cannot be written, or something else is there.
    """
    image = Image.fromarray(pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1]))
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", MARK.decode())
    try:
        if _is_ours(path):
            path.unlink()
        with path.open("x+b") as file:  # follows no symlink
            try:
                image.save(file, pnginfo=mark, comment=MARK)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise PictureError(
            f"{path}: is there already, and not ours; move it, or name another folder"
        ) from error
    except (OSError, ValueError) as error:
        raise PictureError(f"{path}: cannot be written: {reason(error)}") from error


def _is_ours(path: Path) -> bool:
    """Whether it is a picture that `save` has written, under its own name alone."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            return False
        with path.open("rb") as file:
            return MARK in file.read(MARK_WITHIN)
    except OSError:
        return False
