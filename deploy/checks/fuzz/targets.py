"""What is fuzzed: each target makes a case of a seed, and raises Found if the product does not keep its word.

Its word: a result, or an error of digitlens's own in one line. A crash, a hang and too much memory are seen
from outside, by run.py.
"""

import io
import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image

from digitlens import Reader, cards, pictures, settings_file
from digitlens.classify import Classifier
from digitlens.errors import DigitLensError, ModelError, PictureError, SettingsError
from digitlens.settings import Settings
from digitlens.strips import Strips

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "edge" / "digitlens" / "models"

Pixels = npt.NDArray[Any]
Ready = Callable[[], None]


class Found(Exception):  # noqa: N818  # not an error of this program
    """The product did not keep its word."""


def _one_line(error: DigitLensError) -> None:
    text = str(error)
    if not text or "\n" in text or len(text) > 2000:
        raise Found(f"not one line: {text[:200]!r}")


# --- arrays -> Reader.read


_reader: list[Reader] = []


def reader(case: random.Random, folder: Path, ready: Ready) -> None:
    """Arrays of all shapes, strides and types."""
    if not _reader:
        _reader.append(Reader())
    image = _array(case)
    ready()
    try:
        reading = _reader[0].read(image)
    except PictureError as error:
        _one_line(error)
        if _is_picture(image):
            raise Found(f"refused {image.shape} {image.dtype}: {error}") from error
        return
    if not _is_picture(image):
        raise Found(f"took {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if reading.size != (width, height):
        raise Found(f"size {reading.size} of {image.shape}")
    for number in reading.numbers:
        for box, sure in ((number.box, number.confidence), *((d.box, d.confidence) for d in number.digits)):
            x, y, w, h = box
            if not (0 <= sure <= 1 and x >= 0 and y >= 0 and x + w <= width and y + h <= height):
                raise Found(f"{box} with {sure} in {width} x {height}")
    msgspec.json.encode(reading)


def _is_picture(image: Pixels) -> bool:
    return bool(
        image.dtype == np.uint8
        and image.size
        and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
    )


def _array(case: random.Random) -> Pixels:
    noise = np.random.default_rng(case.getrandbits(64))
    side = case.choice([0, 1, 2, 3, 7, 8, 9, 16, 17, 28, 64, 100, 333, 720, 1279, 1281, 2600])
    other = case.choice([0, 1, 2, 5, 8, 31, 64, 200, 640, 1280, 1300, 3000, 65_000])
    if side * other > 4_000_000:
        other = case.choice([1, 8, 64, 640])
    shape: tuple[int, ...] = (side, other) if case.random() < 0.5 else (other, side)
    if case.random() < 0.35:
        shape = (*shape, case.choice([3, 3, 3, 1, 2, 4, 0]))
    elif case.random() < 0.08:
        shape = case.choice([(), (side,), (1, *shape, 3), (2, 2, 2, 2, 2)])
    image = _content(case, noise, shape)
    if case.random() < 0.2:
        image = image.astype(case.choice(["i1", "u2", "i4", "f4", "f8", "?", "O", ">u2", "c8"]), copy=False)
    return _strided(case, image)


def _content(case: random.Random, noise: np.random.Generator, shape: tuple[int, ...]) -> Pixels:
    kind = case.randrange(7)
    if kind == 0:
        return noise.integers(0, 256, shape, np.uint8)
    if kind == 1:
        return np.full(shape, case.choice([0, 1, 127, 254, 255]), np.uint8)
    image = np.full(shape, case.choice([255, 220, 30, 0]), np.uint8)
    if (
        image.ndim < 2
        or not image.size
        or (image.ndim == 3 and image.shape[2] not in (1, 3))
        or image.ndim > 3
    ):
        return image
    ink = (case.randrange(256),) * 3
    height, width = image.shape[:2]
    for _ in range(case.choice([1, 5, 40, 300])):
        start, end = ((case.randrange(width), case.randrange(height)) for _ in range(2))
        thick = case.choice([1, 2, 5, 30])
        if kind == 2:
            cv2.line(image, start, end, ink, thick)
        elif kind == 3:
            cv2.putText(image, str(case.randrange(10**6)), start, 0, case.choice([0.4, 1, 4]), ink, thick)
        elif kind == 4:
            cv2.rectangle(image, start, end, ink, thick)
        elif kind == 5:
            cv2.circle(image, start, case.randrange(1, 60), ink, thick)
        else:
            image[start[1] :: case.randrange(2, 9), start[0] :: case.randrange(2, 9)] = ink[0]
    return image


def _strided(case: random.Random, image: Pixels) -> Pixels:
    how = case.randrange(9)
    if image.ndim < 2:
        return image
    if how == 0:
        return image[::-1, ::-1]
    if how == 1:
        return image.swapaxes(0, 1)
    if how == 2:
        return image[:: case.randrange(1, 4), :: case.randrange(1, 4)]
    if how == 3:
        return np.asfortranarray(image)
    if how == 4:
        return np.broadcast_to(image[:1], image.shape)
    if how == 5:
        image.flags.writeable = False
    if how == 6:  # a padded row, as cameras have it
        padded = np.zeros((image.shape[0], image.shape[1] + 5, *image.shape[2:]), image.dtype)
        padded[:, :-5] = image
        return padded[:, :-5]
    if how == 7 and image.dtype == np.uint8:  # not where a word begins
        bytes_ = np.empty(image.size + 1, np.uint8)
        odd = bytes_[1:].reshape(image.shape)
        odd[...] = image
        return odd
    return image


# --- files -> pictures.load


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
    """Files of every format, whole, changed, cut off, of a wrong name, and much larger than they look."""
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
        _one_line(error)
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


def mutated(case: random.Random, content: bytes) -> bytes:
    """The bytes, changed in one way."""
    if not content:
        return content
    data = bytearray(content)
    place = case.randrange(len(data))
    if case.random() < 0.5:  # headers are where it matters
        place = case.randrange(min(len(data), 200))
    how = case.randrange(7)
    if how == 0:
        data[place] ^= 1 << case.randrange(8)
    elif how == 1:
        data[place : place + 4] = case.choice(
            [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"]
        )
    elif how == 2:
        del data[place:]
    elif how == 3:
        del data[place : place + case.randrange(1, 50)]
    elif how == 4:
        data[place:place] = case.randbytes(case.randrange(1, 50))
    elif how == 5:
        data[place:place] = data[max(0, place - 64) : place] * case.choice([1, 50])
    else:
        data[place : place + 16] = case.randbytes(16)
    return bytes(data)


# --- model files and cards


def model(case: random.Random, folder: Path, ready: Ready) -> None:
    """Models whose bytes or cards were changed: refused, or as good as before."""
    name = case.choice(["digits", "seed", "svm", "numbers"])
    file = cards.find(name)
    path = folder / file.name
    card = path.with_suffix(".json")
    shutil.copy(file, path)
    shutil.copy(file.with_suffix(".json"), card)
    which = case.choice(["bytes", "card", "fields", "npz"])
    ready()
    if which == "bytes":
        content = mutated(case, path.read_bytes())
        changed = content != path.read_bytes()
        path.write_bytes(content)
        if _loads(path) and changed:
            raise Found(f"{path.name}: other bytes were taken")
        return
    if which == "npz" and name == "svm":  # with a card that fits: whoever has made it has made both
        path.write_bytes(mutated(case, path.read_bytes()))
        told = json.loads(card.read_bytes()) | {"sha256": cards.digest(path.read_bytes())}
        card.write_text(json.dumps(told))
    elif which == "card":
        card.write_bytes(mutated(case, card.read_bytes()))
    else:
        card.write_text(json.dumps(_changed(case, json.loads(card.read_bytes()))))
    _loads(path)


def _loads(path: Path) -> bool:
    try:
        if "strips" in path.with_suffix(".json").read_text(errors="replace"):
            strips = Strips.load(path)
            strips.read(np.full((32, 128), 200, np.uint8))
        else:
            chances = Classifier.load(path).probabilities(np.zeros((3, 28, 28), np.uint8))
            if chances.shape != (3, 10):
                raise Found(f"gives {chances.shape}")
    except ModelError as error:
        _one_line(error)
        return False
    return True


ODD = [
    None,
    -1,
    0,
    1,
    2**63,
    1e300,
    -0.5,
    "",
    "x",
    "tflite",
    "strips",
    "hog-svm",
    "float32",
    "uint8",
    [],
    [1],
    {},
    True,
]


def _changed(case: random.Random, told: Any) -> Any:
    if isinstance(told, dict) and told:
        key = case.choice(list(told))
        how = case.randrange(4)
        if how == 0:
            return {name: value for name, value in told.items() if name != key}
        return told | {key: case.choice(ODD) if how == 1 else _changed(case, told[key])}
    if isinstance(told, list) and told and case.random() < 0.7:
        place = case.randrange(len(told))
        return [*told[:place], _changed(case, told[place]), *told[place + 1 :]]
    return case.choice(ODD)


# --- settings files


_shipped = [
    line[2:] if re.fullmatch(r"# ([a-z_]+ = .*|\[region\.water\])", line) else line
    for line in (ROOT / "deploy" / "config.toml").read_text().splitlines()
]
VALUES = [
    "1", "-1", "0", "nan", "inf", "-inf", "1e400", "99999999999999999999999", "true", '""', '"x"', "[]", "{}",
    "[1,2,3,4]", "[0,0,1,1]", "{a={b={c=1}}}", '"\\u0000"', '"""\n[camera]\n"""', "1979-05-27T07:32:00Z",
    "0x7fffffffffffffff",
    "'''", "=", '"usb:9"', '"[::]:80"', '"\\uD800"', "0.5", "[[[[]]]]",
]  # fmt: skip


def settings(case: random.Random, folder: Path, ready: Ready) -> None:
    """Settings files whose lines, values or bytes were changed."""
    lines = [line for line in _shipped if line and not line.startswith("#")]
    lines = case.sample(lines, case.randrange(len(lines) + 1)) if case.random() < 0.3 else list(lines)
    for _ in range(case.choice([0, 1, 1, 2, 5])):
        if not lines:
            break
        place = case.randrange(len(lines))
        key = lines[place].partition(" =")[0]
        how = case.randrange(6)
        if how < 3:
            lines[place] = f"{key} = {case.choice(VALUES)}"
        elif how == 3:
            lines.insert(
                place,
                case.choice(
                    ["[camera]", "[region.x]", "[region]", "[[camera]]", "a.b.c = 1", "[a.'b'.\"c\"]"]
                ),
            )
        elif how == 4:
            del lines[place]
        else:
            lines[place] = f"{key[:-1]}{case.choice('xyz')} = 1"
    content = case.choice(["\n", "\r\n", "\n\n"]).join(lines).encode(errors="replace")
    for _ in range(case.choice([0, 0, 1, 4])):
        content = mutated(case, content)
    path = folder / "config.toml"
    path.write_bytes(content)
    overrides = {("camera", "rate"): case.choice([1, -1, "x"])} if case.random() < 0.1 else {}
    ready()
    try:
        found = settings_file.load(path, overrides)
    except SettingsError as error:
        _one_line(error)
        if not str(error).startswith((str(path), "[")):
            raise Found(f"names no place: {error}") from error
        return
    if not isinstance(found, Settings):
        raise Found(f"{found}")
    msgspec.json.encode(found)


TARGETS: dict[str, Callable[[random.Random, Path, Ready], None]] = {
    "reader": reader, "picture": picture, "model": model, "settings": settings,
}  # fmt: skip


def run(target: str, seed: int, folder: Path, ready: Ready = lambda: None) -> None:
    """One case; `ready` is called when it is made, and the product's part begins.

    Raises:
        Found: the product did not keep its word.
    """
    TARGETS[target](random.Random(f"{target} {seed}"), folder, ready)
