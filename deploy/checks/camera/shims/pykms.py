"""In the place of kms++'s Python, which Debian lacks: enough to import picamera2; there is no DRM here."""


class _Names(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormat(metaclass=_Names):
    """Whatever format is asked for."""


class Card:
    """There is no card."""

    def __init__(self, *arguments: object) -> None:
        raise RuntimeError("no DRM here")
