"""Picture and video files -> arrays, as a viewer shows them: upright, on white, 8 bits."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from digitlens.core.arrays import Pixels
from digitlens.core.errors import PictureError, reason
from digitlens.core.paths import SPECIAL, as_text, is_special
from digitlens.images import avi
from digitlens.images.video_limits import check_size, jpeg_size, limit_ffmpeg

PICTURES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".pgm", ".ppm", ".pnm"]
)
VIDEOS = frozenset([".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mjpeg", ".mjpg"])

JPEG = b"\xff\xd8\xff"
SIGNATURES = (b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
CONTAINERS = (b"RIFF", b"\x1aE\xdf\xa3", JPEG)
"""First bytes of AVI, of Matroska and WebM, and of a stream of JPEGs."""
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""Names of the first box of an MP4 or QuickTime file, behind four bytes of its length."""
LARGEST_STILL = 32 << 20
"""Length within which the second picture of a stream must begin, in bytes."""


class Picture(NamedTuple):
    """pixels (H, W) gray or (H, W, 3) BGR uint8; `size` is the file's own width and height."""

    source: str
    time: float
    pixels: Pixels
    size: tuple[int, int]


def is_video(path: Path) -> bool:
    """Whether a file's suffix is a video's."""
    return path.suffix.lower() in VIDEOS


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, if missing.

    Raises:
        PictureError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(f"{folder}: cannot be made: {error.strerror}") from error


def expand(path: Path) -> list[Path]:
    """A file -> itself; a folder -> the pictures and videos in it, sorted by name.

    Raises:
        PictureError: there is no such file, or nothing to read in the folder.
    """
    try:
        if not path.is_dir():
            path.stat()
            return [path]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES | VIDEOS)
    except OSError as error:
        raise PictureError(f"{path}: {reason(error)}") from error
    if not files:
        raise PictureError(f"{path}: no pictures in this folder")
    return files


def load(path: Path, color: bool = False) -> Iterator[Picture]:
    """The one picture of a picture file, or each frame of a video; gray unless `color`.

    Raises:
        PictureError: it cannot be read.
    """
    if is_special(path):
        raise PictureError(f"{path}: {SPECIAL}")
    if is_video(path):
        yield from _frames(path, color)
    else:
        from digitlens.images import stills  # imports Pillow, which no camera and no video needs

        yield Picture(as_text(path), 0.0, *stills.decoded(path, color))


def save(path: Path, pixels: Pixels) -> None:
    """Write (H, W) gray or (H, W, 3) BGR by the suffix of `path`; of what is there, only our own is replaced.

    Raises:
        PictureError: it cannot be written, or something else is there.
    """
    from digitlens.images import stills

    stills.save(path, pixels)


def rate(path: Path) -> float:
    """A video's frames per second; 0 if it does not say, or cannot be read."""
    if is_special(path):
        return 0.0
    try:
        film = avi.probe(path)
    except OSError:
        return 0.0
    if film is not None:
        return film.rate
    if _is_picture(path) or not _is_container(path):
        return 0.0
    video = _opened(path)
    frames_per_second = float(video.get(cv2.CAP_PROP_FPS))
    video.release()
    return frames_per_second


def _frames(path: Path, color: bool) -> Iterator[Picture]:
    some = False
    try:
        film = avi.probe(path)
        if film is not None:
            for count, pixels in enumerate(_jpegs(path, color)):
                size = pixels.shape[1], pixels.shape[0]
                if not some and size != film.size:
                    break  # interlaced: half frames
                some = True
                yield Picture(as_text(path), count / film.rate, pixels, size)
    except OSError as error:
        raise PictureError(f"{path}: {reason(error)}") from error
    if some:
        return
    if _is_picture(path):
        # FFmpeg would decode a picture of any size: a few megabytes may become gigabytes.
        from digitlens.images import stills

        yield Picture(as_text(path), 0.0, *stills.decoded(path, color))
    else:
        yield from _decoded(path, color)


def _is_picture(path: Path) -> bool:
    """Whether a file with a video's suffix begins as a single picture does."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            rest = file.read(LARGEST_STILL) if head.startswith(JPEG) else b""
    except OSError as error:
        raise PictureError(f"{path}: {reason(error)}") from error
    if head.startswith(JPEG):
        return rest.count(JPEG) < 2  # its own, and maybe a thumbnail's
    return head.startswith(SIGNATURES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _is_container(path: Path) -> bool:
    """Whether a file begins as a video does, and not as a list of other files or addresses."""
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(CONTAINERS) or head[4:8] in BOXES


def _opened(path: Path) -> cv2.VideoCapture:
    """The file, opened by FFmpeg; an absolute path, for it takes a name such as http:x.avi for a URL.

    By FFmpeg alone: OpenCV's other backends decode pictures of any size, or files of similar names.
    """
    limit_ffmpeg()
    return cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)


def _jpegs(path: Path, color: bool) -> Iterator[Pixels]:
    """The frames of Motion JPEG; broken ones, and those of another kind, are skipped."""
    how = cv2.IMREAD_IGNORE_ORIENTATION | (cv2.IMREAD_COLOR if color else cv2.IMREAD_GRAYSCALE)
    for jpeg in avi.jpegs(path):
        size = jpeg_size(jpeg)
        if size is None:
            continue
        check_size(path, *size)
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), how)
        if pixels is not None:
            yield pixels.astype(np.uint8, copy=False)


def _decoded(path: Path, color: bool) -> Iterator[Picture]:
    """The frames as decoded by FFmpeg."""
    if not _is_container(path):
        raise PictureError(f"{path}: not a video ({', '.join(sorted(VIDEOS))})")
    video = _opened(path)
    try:
        check_size(path, video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT))
        some, frame = video.read() if video.isOpened() else (False, None)
        if not some:
            raise PictureError(f"{path}: not a video that OpenCV can decode")
        while some and frame is not None:
            check_size(path, frame.shape[1], frame.shape[0])
            time = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            pixels = frame if color else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            yield Picture(
                as_text(path), time, pixels.astype(np.uint8, copy=False), (frame.shape[1], frame.shape[0])
            )
            some, frame = video.read()
    finally:
        video.release()
