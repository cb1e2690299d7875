"""Seeds with which deploy/checks/fuzz once found a fault."""

import importlib
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from PIL import Image

from digitlens.core.errors import ModelError, PictureError
from digitlens.glyphs.normalize import normalize
from digitlens.images import pictures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def targets(root: Path) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "deploy" / "checks")
        return importlib.import_module("fuzz.targets")


@pytest.mark.parametrize(
    ("target", "seed"),
    [
        ("model", 180),  # zlib.error out of a broken npz
        ("model", 282),  # NotImplementedError out of one of another zip version
        ("model", 833),
        ("reader", 92),  # a hairline over 4,400 pixels took 3 s to thicken
        ("reader", 911763),  # a picture with padded rows could not be viewed as uint8
        ("settings", 1),
        ("settings", 964825),  # a key of thousands of letters was repeated in full
        ("token", 60141),  # a no-break space behind the token was taken for a space of the header
        ("pages", 800039),  # EOFError out of an AVIF or HEIC that is cut off
        ("pages", 800095),  # IndexError out of a GIF whose second frame is
        ("picture", 1188),  # ZeroDivisionError: a JPEG that says it is much higher than wide
    ],
)
def test_a_seed_that_once_found_something(
    targets: ModuleType, tmp_path: Path, target: str, seed: int
) -> None:
    targets.run(target, seed, tmp_path)


def test_a_damaged_npz_raises_one_error(root: Path, tmp_path: Path) -> None:
    from digitlens.models import hog

    content = (root / "edge" / "digitlens" / "models" / "svm.npz").read_bytes()
    for place in range(0, len(content), len(content) // 60):
        broken = content[:place] + bytes(8) + content[place + 8 :]
        with suppress(ModelError):  # or none, where the bytes were zero before
            hog.load(broken, "svm.npz")


def test_a_hairline_thickens_alike_at_every_size() -> None:
    def stroke(height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        ink = np.zeros((height, 40), np.uint8)
        cv2.line(ink, (20, 5), (20, height - 5), (255,), 2)
        return ink

    tall, taller = normalize(stroke(900)), normalize(stroke(4400))
    assert tall.any()
    assert np.abs(tall.astype(int) - taller).max() < 100
    assert np.count_nonzero(tall > 127) == pytest.approx(np.count_nonzero(taller > 127), abs=8)


def test_a_picture_one_pixel_wide(tmp_path: Path) -> None:
    Image.new("L", (1, 5000)).save(tmp_path / "line.jpg")
    (found,) = pictures.load(tmp_path / "line.jpg")
    assert found.size == (1, 5000)


def saved(path: Path, image: Image.Image) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    image.save(path, exif=exif)
    return path


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "I;16"])
def test_a_large_picture_is_reduced_before_it_is_copied(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((3200, 4000), 0, np.uint16))
    else:
        image = Image.new(mode, (4000, 3200))
    image.paste(
        Image.new(image.mode, (4000, 1600), (255,) * len(image.getbands()) if mode != "I;16" else 65535)
    )
    (found,) = pictures.load(saved(tmp_path / "large.png", image))
    assert found.size == (3200, 4000)  # as a viewer shows it
    assert found.pixels.shape == (1333, 1066) or found.pixels.shape == (1334, 1067)
    assert found.pixels[:, -10:].min() > 250  # its upper half is on the right


def test_a_picture_that_would_take_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "progressive.jpg"
    Image.new("RGB", (8000, 6000)).save(path, progressive=True, subsampling=0)
    with pytest.raises(PictureError, match="too large"):
        next(iter(pictures.load(path)))


@pytest.mark.parametrize("big", [False, True])
def test_a_tag_of_millions_of_numbers_is_refused(tmp_path: Path, big: bool) -> None:
    path = tmp_path / "tag.tif"
    Image.new("L", (60, 40), 255).save(path, big_tiff=big)
    assert next(iter(pictures.load(path))).size == (60, 40)
    content = bytearray(path.read_bytes())
    place = content.index(bytes([0x11, 1]))  # the tag of where its strips begin
    content[place + 2 : place + 4] = b"\x03\x00"  # short numbers
    content[place + 4 : place + 8] = (20_000_000).to_bytes(4, "little")
    path.write_bytes(content + bytes(40_000_000))
    with pytest.raises(PictureError, match="too large"):
        next(iter(pictures.load(path)))


def test_a_picture_of_millions_of_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.bmp"
    Image.new("RGB", (1, 3)).save(path)
    content = bytearray(path.read_bytes())
    content[22:26] = (33_554_435).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(PictureError, match="too large"):
        next(iter(pictures.load(path)))
