"""Files of other machines, by fsspec: HTTP and S3, with retries, limits and deadlines."""

from pathlib import Path
from typing import Any, BinaryIO, cast

from digitlens.core.errors import DependencyError, PictureError, first_line

KINDS = ("http", "https", "s3")


def is_address(text: str) -> bool:
    """Whether it is an address, not a path of this machine."""
    return "://" in text


def opened(place: str) -> BinaryIO:
    """A file of this or another machine, which can be read from any place.

    Raises:
        PictureError, OSError: it cannot be opened.
    """
    if not is_address(place):
        return Path(place).open("rb")
    return cast(BinaryIO, _filesystem(place).open(place, "rb"))


def fetched(address: str, most: int) -> bytes:
    """The content of an address, of at most so many bytes."""
    try:
        content = cast(bytes, _filesystem(address).cat_file(address))
    except Exception as error:
        raise PictureError(first_line(error)) from error
    if len(content) > most:
        raise PictureError(f"larger than {most // 1_000_000} MB")
    return content


def _filesystem(address: str) -> Any:
    kind = address.partition("://")[0]
    if kind not in KINDS:
        raise PictureError(f"{kind} is not a kind of address that is read ({', '.join(KINDS)})")
    try:
        import fsspec

        return fsspec.filesystem(kind)
    except ImportError as error:
        raise DependencyError(
            f"{address}: {kind} needs {error.name}: pip install 'digitlens[archive]'"
        ) from error
