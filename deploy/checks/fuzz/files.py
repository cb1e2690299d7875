"""Files -> pictures.load."""

import io
import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from digitlens.core.errors import PictureError
from digitlens.images import pictures
from fuzz.cases import Found, Ready, mutated, one_line

SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "BMP": ".bmp",
    "GIF": ".gif",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "PPM": ".ppm",
}
MODES = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"], "JPEG": ["L", "RGB", "CMYK"],
    "BMP": ["1", "L", "P", "RGB"],
    "GIF": ["L", "P"], "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "F", "I;16", "LAB", "YCbCr"],
    "WEBP": ["RGB", "RGBA"], "PPM": ["1", "L", "RGB"],
}  # fmt: skip


def picture(case: random.Random, folder: Path, ready: Ready) -> None:
    """Files of every format: intact, mutated, truncated, misnamed, and huge when decoded."""
    name = case.choice([*SUFFIXES, "AVI"])
    path = folder / f"case{SUFFIXES.get(name, '.avi')}"
    content = _film(case, path) if name == "AVI" else _file(case, name)
    for _ in range(case.choice([0, 0, 1, 1, 1, 2, 8])):
        content = mutated(case, content)
    if case.random() < 0.05:
        path = path.with_suffix(case.choice([".png", ".jpg", ".avi", ".mp4", ".tif", ".gif"]))
    path.write_bytes(content)
    color = case.random() < 0.5
    ready()
    try:
        for count, found in enumerate(pictures.load(path, color)):
            pixels = found.pixels
            if pixels.dtype != np.uint8 or pixels.ndim != (3 if color else 2) or not pixels.size:
                raise Found(f"{pixels.shape} {pixels.dtype}, color={color}")
            if min(found.size) < 1:
                raise Found(f"size {found.size}")
            if count == 5:
                break
    except PictureError as error:
        one_line(error)
    finally:
        path.unlink()


def _file(case: random.Random, name: str) -> bytes:
    mode = case.choice(MODES[name])
    huge = case.random() < 0.04
    width, height = (
        (case.choice([4000, 7000, 9000, 30_000]), case.choice([3000, 5000, 7000]))
        if huge
        else (case.choice([1, 2, 9, 60, 300]), case.choice([1, 3, 8, 70, 200]))
    )
    if name == "WEBP":
        width, height = min(width, 4000), min(height, 3000)
    if huge and name in ("TIFF", "BMP", "PPM"):
        width, height = 4000, 3000
    image = Image.new("L" if mode in ("I;16", "F") else mode, (width, height), case.choice([0, 1]))
    if not huge and mode not in ("1", "P", "I;16", "F", "LAB", "YCbCr", "CMYK"):
        noise = np.random.default_rng(case.getrandbits(64))
        image = Image.fromarray(noise.integers(0, 256, np.asarray(image).shape, np.uint8), mode)
    if mode == "I;16":
        image = Image.fromarray(np.full((height, width), case.randrange(65536), np.uint16))
    if mode == "F":
        image = image.convert("F")
    options: dict[str, Any] = {}
    if name in ("PNG", "JPEG", "WEBP") and case.random() < 0.3:
        exif = Image.Exif()
        exif[0x0112] = case.choice([0, 1, 3, 6, 8, 9, 200])
        options["exif"] = exif
    if name == "PNG" and mode in ("L", "P") and case.random() < 0.3:
        options["transparency"] = case.choice([0, 255, b"\0\1"] if mode == "P" else [0, 255])
    if name == "TIFF" and mode in ("L", "RGB") and case.random() < 0.5:
        options["compression"] = case.choice(["tiff_lzw", "tiff_adobe_deflate", "packbits"])
    if name == "JPEG" and case.random() < 0.3:
        options["progressive"] = True
    if name == "GIF" and case.random() < 0.3:
        options |= {"save_all": True, "append_images": [image] * 3}
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def _film(case: random.Random, path: Path) -> bytes:
    size = case.choice([(64, 48), (160, 120)])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
    for _ in range(case.choice([1, 3])):
        writer.write(np.full((size[1], size[0], 3), case.randrange(256), np.uint8))
    writer.release()
    return path.read_bytes()
