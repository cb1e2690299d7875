"""Picture files by Pillow: decoded as a viewer would show them, and written."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from digitlens.errors import PictureError, reason

Pixels = npt.NDArray[np.uint8]

# Named, because Pillow would also start other programs for some formats. The frequent ones first:
# for the last two it imports all its plugins.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
MOST_PIXELS = 50_000_000
"""Decoded at once; larger ones are refused before their pixels are touched."""
ENOUGH = 1280
"""Pixels of the longer side that are enough: a JPEG of twice this and more is decoded at half or less."""


def decoded(path: Path, color: bool) -> tuple[Pixels, tuple[int, int]]:
    """The picture (H, W) gray or (H, W, 3) BGR, and the file's own width and height.

    Raises:
        PictureError: it cannot be read.
    """
    mode = "RGB" if color else "L"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size (judged below) and of odd metadata
            with Image.open(path, formats=FORMATS) as image:
                turned = image.getexif().get(0x0112, 1) >= 5  # lies on its side
                size = (image.height, image.width) if turned else image.size
                shrink = min(1.0, ENOUGH / max(image.size))
                image.draft(mode, (int(image.width * shrink), int(image.height * shrink)))
                if image.width * image.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                pixels = _pixels(ImageOps.exif_transpose(image), mode)
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{path}: too large; at most {MOST_PIXELS // 1_000_000} million pixels are read: scale it down"
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{path}: not a picture ({', '.join(FORMATS)})") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PictureError(f"{path}: {reason(error)}") from error
    return pixels, size


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
