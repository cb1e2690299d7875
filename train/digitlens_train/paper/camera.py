"""Pictures of a canvas as phones, scanners and live cameras take them, with the class of every pixel."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from digitlens.core.arrays import Floats, Gray
from digitlens_train.paper import light, surface
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import Kind
from digitlens_train.paper.geometry import PATCH, Pose, Size, View, classes_of, pick


@dataclass(frozen=True)
class Device:
    """What takes the picture; shares are probabilities, ranges are drawn from uniformly or log-uniformly."""

    light: float
    """Strength of uneven light and shadows, 0 to 1."""
    white: tuple[float, float]
    """Brightness of a white sheet, 0 to 1; above 1 it is overexposed."""
    blur: tuple[float, float]
    """Standard deviation in px, log-uniformly."""
    noise: tuple[float, float]
    """Standard deviation in gray levels, log-uniformly."""
    coarse: float
    """Share of pictures enlarged from fewer pixels."""
    haze: float
    """Share of pictures whose black is raised to gray."""
    sharp: float
    """Share of sharpened pictures."""
    quality: tuple[int, int]
    """JPEG's."""
    binarized: float = 0.0
    """Share of pictures in black and white."""


PHONE = Device(1.0, (0.8, 1.04), (0.3, 1.0), (0.4, 3.5), 0.12, 0.2, 0.35, (45, 97))
SCANNER = Device(0.0, (0.94, 1.06), (0.3, 0.7), (0.2, 2.0), 0.15, 0.05, 0.25, (35, 97), binarized=0.2)
LIVE = Device(0.8, (0.6, 1.0), (0.5, 1.3), (1.2, 6.0), 0.35, 0.4, 0.3, (50, 92))
DEVICES = (PHONE, SCANNER, LIVE)
SHARES = (0.62, 0.2, 0.18)
"""Share of each of DEVICES."""
LEAST_CONTRAST = 20.0
"""Contrast of the mean ink, in gray levels; darker pictures are exposed longer."""
BRIGHTEST = 1.08
"""Light of the brightest place; 1 is white, what is beyond is lost."""
NOISIEST = 0.3
"""Standard deviation of the noise, as a fraction of the ink's contrast."""
MILD = replace(PHONE, light=0.5, white=(0.75, 1.0), blur=(0.3, 0.7), noise=(0.4, 2.0), coarse=0.0, haze=0.1,
               quality=(80, 97))  # fmt: skip
"""A good phone in good light, for pages that are measured."""


@dataclass(frozen=True)
class Photo:
    """A picture `gray` (h, w), its class map (h / 2, w / 2), and where it lies on the canvas."""

    gray: Gray
    classes: Gray
    view: View


def photograph(canvas: Canvas, random: np.random.Generator, size: Size = (256, 256)) -> tuple[Gray, Gray]:
    """A picture (h, w) uint8 of a canvas, and its class map (h / 2, w / 2) uint8; even height and width."""
    photo = take(canvas, random, size)
    return photo.gray, photo.classes


def take(
    canvas: Canvas,
    random: np.random.Generator,
    size: Size,
    pose: Pose = PATCH,
    height: float = 24.0,
    middle: tuple[float, float] | None = None,
    mild: bool = False,
) -> Photo:
    """Take a picture of a canvas.

    Args:
        canvas: what lies before the camera.
        random: where chance comes from.
        size: of the picture: even height and width.
        pose: how freely the camera is held.
        height: of the writing, in px; blur grows with it, so that small writing stays legible.
        middle: the canvas point (x, y) in the picture's middle, instead of any.
        mild: white paper, good light, little noise: no faults.
    """
    view = View.draw(random, (canvas.height, canvas.width), size, pose, middle)
    x, y = view.maps()
    cover, tone, tint = _warped(canvas, x, y)
    classes = classes_of(cover)
    inside = view.inside(x, y)
    device = MILD if mild else pick(random, DEVICES, SHARES)
    seen, hidden = _reflected(random, tone, tint, inside, mild, device)
    if inside is not None:
        hidden = np.maximum(hidden, np.where(inside < 0, np.uint8(255), np.uint8(0)))
        # A hidden cell shows paper or what lies on it, whatever is written below.
    if hidden.any():
        half = cv2.resize(hidden, (size[1] // 2, size[0] // 2), interpolation=cv2.INTER_AREA)
        classes[half > 127] = Kind.PAPER
    lit = seen * _light(random, size, device, mild)
    if not mild and device.light and random.random() < 0.05:
        lit += light.glare(random, size)
    brightest = float(lit[::8, ::8].max())
    if brightest > BRIGHTEST:
        lit *= np.float32(BRIGHTEST / brightest)
    contrast = 255 * float(lit[::4, ::4].mean()) * _darkness(tone)
    if contrast < LEAST_CONTRAST:
        lit *= np.float32(min(LEAST_CONTRAST / max(contrast, 1), 3))
        contrast = LEAST_CONTRAST
    if random.random() < device.binarized:
        gray = _binarized(random, lit)
        _drop_unseen(gray, classes)
    else:
        gray = _sensed(random, lit, device, height, contrast, mild)
    return Photo(_stored(random, gray, device), classes, view)


def shoot(
    tone: Gray, random: np.random.Generator, view: View, device: Device, height: float, zoom: float
) -> Gray:
    """The picture (h, w) uint8 by a device that sees a white sheet's `tone` (H, W) uint8 in a given view.

    Paper without faults on a table top; light, shadow, blur, noise and JPEG as the device has them.

    Args:
        tone: darkness of what is drawn on the sheet.
        random: where chance comes from.
        view: its homography, bend and edges.
        device: what takes the picture.
        height: of the writing in the picture, in px.
        zoom: canvas pixels for one of the picture, on average; from 1.
    """
    x, y = view.maps()
    if zoom > 1:  # what a pixel does not resolve is averaged, not skipped
        tone = np.asarray(cv2.GaussianBlur(tone, (0, 0), 0.45 * zoom), np.uint8)
    seen = np.asarray(cv2.remap(tone, x, y, cv2.INTER_LINEAR), np.uint8)
    size = seen.shape[0], seen.shape[1]
    sheet = surface.paper(random, size, clean=True)
    sheet *= 1 - surface.ink(random, seen, thorough=True)
    inside = view.inside(x, y)
    if inside is not None:
        sheet = surface.beyond(random, sheet, inside)
    lit = sheet * _light(random, size, device, mild=False)
    brightest = float(lit[::8, ::8].max())
    if brightest > BRIGHTEST:
        lit *= np.float32(BRIGHTEST / brightest)
    contrast = 255 * float(lit[::4, ::4].mean()) * _darkness(seen)
    return _stored(random, _sensed(random, lit, device, height, contrast, mild=False), device)


def _warped(canvas: Canvas, x: Floats, y: Floats) -> tuple[Gray, Gray, Gray | None]:
    """Coverage (h, w, 4), tone and tint (h, w) of the canvas under a map."""
    first, second = cv2.convertMaps(x, y, cv2.CV_16SC2)
    layers = cv2.merge([canvas.alpha[kind] for kind in Kind if kind])
    cover = np.asarray(cv2.remap(layers, first, second, cv2.INTER_LINEAR), np.uint8)
    tone = np.asarray(cv2.remap(canvas.tone, first, second, cv2.INTER_LINEAR), np.uint8)
    if canvas.tint is None:
        return cover, tone, None
    tint = cv2.remap(
        canvas.tint, first, second, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(255,)
    )
    return cover, tone, np.asarray(tint, np.uint8)


def _reflected(
    random: np.random.Generator,
    tone: Gray,
    tint: Gray | None,
    inside: Floats | None,
    mild: bool,
    device: Device,
) -> tuple[Floats, Gray]:
    """How light paper and ink are, (h, w), and where (255) something lies on them."""
    size = tone.shape[0], tone.shape[1]
    sheet = surface.paper(random, size, clean=mild or (device is SCANNER and random.random() < 0.8))
    if tint is not None:
        sheet *= tint * np.float32(1 / 255)
    dark = surface.ink(random, tone, thorough=mild)
    hidden = np.zeros(size, np.uint8)
    if not mild and random.random() < 0.06:  # chalk, a screen, a negative
        board = np.float32(random.uniform(0.04, 0.3))
        sheet *= board
        sheet += (np.float32(random.uniform(0.6, 1.0)) - sheet) * dark
    else:
        if not mild and random.random() < 0.06:
            sheet *= surface.show_through(random, tone)
        sheet *= 1 - dark
    if mild:
        return sheet, hidden
    if random.random() < 0.07:
        sheet *= surface.folds(random, size)
    if inside is not None:
        sheet = surface.beyond(random, sheet, inside)
    if random.random() < 0.035:
        hidden = surface.things(random, sheet)
    return sheet, hidden


def _light(random: np.random.Generator, size: Size, device: Device, mild: bool) -> Floats:
    """Light (h, w) that falls on a sheet; 1 makes a white one white."""
    field = light.uneven(random, size, device.light) if device.light else light.even(random, size)
    level = random.uniform(*device.white)
    if not mild and device.light:
        if random.random() < 0.13:
            field *= light.shadow(random, size)
        if random.random() < 0.06:  # a dark room
            level *= random.uniform(0.25, 0.6)
    field *= np.float32(level)
    return field


def _darkness(tone: Gray) -> float:
    """Mean darkness of what is drawn, 0 to 1; that of pale ink where nothing is."""
    drawn = tone[::2, ::2]
    drawn = drawn[drawn > 40]
    return float(drawn.mean()) / 320 if drawn.size else 0.3


def _sensed(
    random: np.random.Generator, lit: Floats, device: Device, height: float, contrast: float, mild: bool
) -> Gray:
    """The sensor's gray levels (h, w): optics, noise, sharpening; `contrast` is the ink's, in gray levels."""
    blur = min(_log_uniform(random, *device.blur), 0.3 + 0.035 * height)  # a 10 px digit's loops stay open
    if not mild and height > 40 and random.random() < 0.2:
        blur *= random.uniform(1, height / 40)  # out of focus
    size = lit.shape[1], lit.shape[0]
    coarse = random.random() < device.coarse and height > 14
    if coarse:
        fewer = random.uniform(max(0.35, 9 / height), 0.85)
        lit = np.asarray(cv2.resize(lit, None, fx=fewer, fy=fewer, interpolation=cv2.INTER_AREA), np.float32)
        blur *= fewer
    lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), blur), np.float32)
    if not mild and height > 16 and random.random() < 0.05:
        lit = _moved(random, lit, height)
    haze = random.uniform(0.03, 0.22) if random.random() < device.haze else 0.0
    noise = min(_log_uniform(random, *device.noise), NOISIEST * contrast)
    grain = surface.normal(random, (lit.shape[0], lit.shape[1]))
    if random.random() < 0.3:  # smoothed by the camera
        grain, noise = (
            np.asarray(cv2.GaussianBlur(grain, (0, 0), random.uniform(0.6, 1.2)), np.float32),
            2 * noise,
        )
    gray = cv2.addWeighted(lit, 255 * (1 - haze), grain, noise, 255 * haze, dtype=cv2.CV_8U)
    if coarse:
        gray = cv2.resize(
            gray, size, interpolation=cv2.INTER_CUBIC if random.random() < 0.6 else cv2.INTER_LINEAR
        )
    if random.random() < device.sharp:
        more = random.uniform(0.3, 1.4)
        gray = cv2.addWeighted(
            gray, 1 + more, cv2.GaussianBlur(gray, (0, 0), random.uniform(0.8, 2)), -more, 0
        )
    return (
        _curved(random, np.asarray(gray, np.uint8)) if random.random() < 0.25 else np.asarray(gray, np.uint8)
    )


def _curved(random: np.random.Generator, gray: Gray) -> Gray:
    """Gray levels by a camera's or an app's tone curve."""
    steps = np.arange(256) / 255
    if random.random() < 0.6:
        curve = steps ** random.uniform(0.6, 1.6)
    else:  # a document app: light becomes white, dark black
        low, high = np.percentile(gray[::4, ::4], (1, 92)) / 255
        curve = (steps - 0.6 * low) / max(high * random.uniform(0.98, 1.12) - 0.6 * low, 0.1)
    return np.asarray(cv2.LUT(gray, np.clip(curve * 255, 0, 255).astype(np.uint8)), np.uint8)


def _moved(random: np.random.Generator, lit: Floats, height: float) -> Floats:
    """Motion blur of up to a tenth of the writing's height."""
    length = random.uniform(2, min(11.0, max(3.0, 0.1 * height)))
    side = 2 * round(length / 2) + 1
    kernel = np.zeros((side, side), np.float32)
    angle, middle = random.uniform(0, np.pi), side // 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    first, last = np.round(middle - reach).astype(int).tolist(), np.round(middle + reach).astype(int).tolist()
    cv2.line(kernel, first, last, (1.0,), 1, cv2.LINE_AA)
    return np.asarray(
        cv2.filter2D(lit, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32
    )


def _binarized(random: np.random.Generator, lit: Floats) -> Gray:
    """A scan in black and white, as a copier or a document app makes it."""
    gray = np.asarray(cv2.convertScaleAbs(cv2.GaussianBlur(lit, (0, 0), 0.5), alpha=255), np.uint8)
    if random.random() < 0.6:
        around = cv2.blur(gray, (41, 41)) * np.float32(random.uniform(0.72, 0.88))
        white = gray > around
    else:
        white = gray > np.median(gray[::4, ::4]) * random.uniform(0.65, 0.85)
    return np.where(white, np.uint8(255), np.uint8(0))


def _drop_unseen(gray: Gray, classes: Gray) -> None:
    """Clear classes in place where no ink is left in black and white."""
    ink = gray if np.median(gray) < 128 else cv2.bitwise_not(gray)
    cells = cv2.resize(ink, classes.shape[::-1], interpolation=cv2.INTER_AREA)
    seen = cv2.dilate(cells, np.ones((3, 3), np.uint8)) > 100
    classes[~seen] = Kind.PAPER


def _stored(random: np.random.Generator, gray: Gray, device: Device) -> Gray:
    """The picture after JPEG, or as it is."""
    if random.random() < 0.4:
        return gray
    quality = int(random.integers(*device.quality))
    _, packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def _log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))
