"""A short sound: by ALSA's aplay where it is installed, else by the terminal's bell."""

import io
import math
import shutil
import subprocess
import sys
import wave
from array import array

RATE = 22_050
"""Samples a second."""
LENGTH, PITCH, LOUDNESS = 0.15, 880.0, 0.4
"""Of the sound: seconds, hertz, parts of full scale."""


class Beep:
    """Plays the sound without waiting for its end; one that still sounds is not begun again."""

    def __init__(self) -> None:
        self._player = shutil.which("aplay")
        self._sounding: subprocess.Popen[bytes] | None = None

    def __call__(self) -> None:
        """Play it; where nothing can, nothing happens."""
        if self._player is None:
            if sys.stderr is not None and sys.stderr.isatty():
                sys.stderr.write("\a")
                sys.stderr.flush()
            return
        if self._sounding is not None and self._sounding.poll() is None:
            return
        try:
            self._sounding = subprocess.Popen(  # noqa: S603  # a fixed command
                [self._player, "-q", "-"],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert self._sounding.stdin is not None  # noqa: S101  # PIPE
            with self._sounding.stdin as stdin:
                stdin.write(sound())  # 7 kB: fits into the pipe
        except OSError:
            self._player = None


def sound() -> bytes:
    """The sound as a WAV file, faded at both ends."""
    count = int(RATE * LENGTH)
    fade = count // 8
    samples = array("h")
    for k in range(count):
        part = min(1.0, k / fade, (count - 1 - k) / fade)
        samples.append(int(32767 * LOUDNESS * part * math.sin(2 * math.pi * PITCH * k / RATE)))
    if sys.byteorder == "big":
        samples.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(samples.tobytes())
    return file.getvalue()
