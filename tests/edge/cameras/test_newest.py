"""A grabbing thread over real callables that block, raise and end."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import numpy as np
import pytest

from digitlens.cameras.newest import Newest
from digitlens.core.errors import CameraError, CameraStalled
from digitlens.core.frames import Frame
from tests.edge.films import LONG, plain


def frame(level: int = 0) -> Frame:
    return Frame(plain(level), plain(level)[..., 0], 0.0, monotonic())


@contextmanager
def running(grab: Callable[[], Frame | None], release: Callable[[], None] = lambda: None) -> Iterator[Newest]:
    camera = Newest("test", grab, release)
    try:
        yield camera
    finally:
        camera.close()


def test_only_the_newest_is_kept() -> None:
    count = 0
    enough = threading.Event()

    def grab() -> Frame | None:
        nonlocal count
        if count == 1000:
            enough.set()
            enough_taken.wait(LONG)
        count += 1
        return frame(count % 256)

    enough_taken = threading.Event()
    with running(grab) as camera:
        assert enough.wait(LONG)
        found = camera.newest(LONG)
        assert found is not None
        assert found.image[0, 0, 0] == 1000 % 256
        assert camera.dropped == 999
        enough_taken.set()


def test_a_camera_that_blocks_is_stalled_and_its_close_does_not_hang() -> None:
    blocked = threading.Event()

    def grab() -> Frame | None:
        blocked.wait(LONG)
        return None

    camera = Newest("test", grab)
    with pytest.raises(CameraStalled, match="no frame for"):
        camera.newest(0.01)
    begin = monotonic()
    camera.close(timeout=0.01)
    assert monotonic() - begin < LONG / 2
    blocked.set()


def test_a_camera_that_fails_says_so_after_its_last_frame() -> None:
    frames = iter([frame(1)])
    released = []

    def grab() -> Frame | None:
        try:
            return next(frames)
        except StopIteration:
            raise OSError("no such device") from None

    with running(grab, lambda: released.append(True)) as camera:
        camera._thread.join(LONG)
        assert camera.newest(LONG) is not None
        for _ in range(2):
            with pytest.raises(CameraError, match="test: no such device"):
                camera.newest(LONG)
    assert released == [True]


def test_unusable_frames_are_counted() -> None:
    frames: Iterator[Frame | None] = iter([None, None, None, frame(7)])
    blocked = threading.Event()

    def grab() -> Frame | None:
        try:
            return next(frames)
        except StopIteration:
            blocked.wait(LONG)
            return None

    with running(grab) as camera:
        found = camera.newest(LONG)
        assert found is not None
        assert found.image[0, 0, 0] == 7
        assert camera.dropped == 3
        blocked.set()


def test_a_camera_whose_process_ends() -> None:
    """Frames through a pipe of another process, which is killed in the middle of one."""
    program = (
        "import os, sys, time\n"
        "os.write(1, b'\\x40' * 3072 + b'\\x80' * 1000)\n"
        "sys.stdin.read()"  # until it is killed
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    pipe = other.stdout

    def grab() -> Frame | None:
        data = pipe.read(3072)
        if len(data) < 3072:
            raise EOFError("the other process has ended")
        gray = np.frombuffer(data, np.uint8).reshape(48, 64)
        return Frame(gray, gray, 0.0, monotonic())

    with running(grab, pipe.close) as camera:
        found = camera.newest(LONG)
        assert found is not None
        assert found.gray[0, 0] == 0x40
        other.kill()
        with pytest.raises(CameraError, match="has ended"):
            camera.newest(LONG)
    other.communicate()
