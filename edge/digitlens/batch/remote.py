"""Files of other machines, by fsspec: HTTP and S3, with retries, limits and deadlines."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from digitlens.core.errors import DependencyError, DigitLensError, PictureError, first_line
from digitlens.core.paths import printable

Result = TypeVar("Result")

KINDS = ("http", "https", "s3")
FINAL = {
    400: "400, a bad request", 401: "401, it wants to know who asks", 403: "403, forbidden",
    404: "404, no such file", 410: "410, it is gone",
}  # fmt: skip
"""HTTP statuses after which trying again is of no use."""
CHUNK = 1 << 20
"""Length that is asked for at a time, in bytes."""
LISTED = 1000
"""Names that S3 lists in one answer."""


class Patience(NamedTuple):
    """How long another machine may take.

    Args:
        connect: to connect, in seconds.
        silence: between two parts of an answer, in seconds.
        total: for a file, in seconds.
        pauses: before each further try, in seconds.
    """

    connect: float = 10.0
    silence: float = 20.0
    total: float = 300.0
    pauses: tuple[float, ...] = (0.5, 2.0)


DEFAULT = Patience()


def is_address(text: str) -> bool:
    """Whether it is an address, not a path of this machine."""
    return "://" in text


def opened(place: str, patience: Patience = DEFAULT) -> BinaryIO:
    """A file of this or another machine, which can be read from any place.

    Raises:
        PictureError, OSError: it cannot be opened.
        DependencyError: it needs the extra `archive`.
    """
    if not is_address(place):
        return Path(place).open("rb")
    files = _filesystem(place, patience)
    return cast(BinaryIO, _tried(lambda: files.open(place, "rb", block_size=CHUNK), patience))


def fetched(address: str, most: int, patience: Patience = DEFAULT) -> bytes:
    """The content of an address; what fails in passing is tried again.

    Raises:
        PictureError: it cannot be had, or is larger than `most` bytes; in one line without its name.
        DependencyError: it needs the extra `archive`.
    """
    files = _filesystem(address, patience)
    if address.startswith("s3://"):
        content = _tried(lambda: _ranged(files, address, most, patience), patience)
    else:
        content = _tried(lambda: _streamed(files, address, most, patience), patience)
    if len(content) > most:
        raise PictureError(f"larger than {most // 1_000_000} MB: download it")
    return content


def listed(prefix: str, patience: Patience = DEFAULT) -> Iterator[str]:
    """The addresses of all objects below an S3 address, in S3's order, one page of names in memory at a time.

    Raises:
        PictureError: it cannot be listed; in one line without its name.
        DependencyError: it needs the extra `archive`.
    """
    files = _filesystem(prefix, patience)
    bucket, _, start = prefix.removeprefix("s3://").partition("/")
    more: dict[str, object] = {"Bucket": bucket, "Prefix": start, "MaxKeys": LISTED}
    while True:
        page = _tried(lambda: files.call_s3("list_objects_v2", **more), patience)
        for one in page.get("Contents", ()):
            if not one["Key"].endswith("/"):
                yield f"s3://{bucket}/{one['Key']}"
        if not page.get("IsTruncated"):
            return
        more["ContinuationToken"] = page["NextContinuationToken"]


def _streamed(files: Any, address: str, most: int, patience: Patience) -> bytes:
    """By HTTP, in chunks: a server may send more than it says, and ever more slowly.

    With a size given, whichever, fsspec does not ask for it.
    """
    end = monotonic() + patience.total
    parts, length = [], 0
    with files.open(address, "rb", block_size=0, size=1) as answer:
        while length <= most and (part := answer.read(CHUNK)):
            parts.append(part)
            length += len(part)
            if monotonic() > end:
                raise TimeoutError
    return b"".join(parts)


def _ranged(files: Any, address: str, most: int, patience: Patience) -> bytes:
    """By S3, in one request for as much as is read at the most."""
    from fsspec.asyn import sync

    return cast(
        bytes, sync(files.loop, files._cat_file, address, start=0, end=most + 1, timeout=patience.total)
    )


def _tried(ask: Callable[[], Result], patience: Patience) -> Result:
    """The answer, after as many tries as there are pauses and one."""
    for pause in (*patience.pauses, None):
        try:
            return ask()
        except DigitLensError:
            raise
        except Exception as error:  # aiohttp, botocore and fsspec raise many kinds of errors
            final, why = _why(error)
            if final or pause is None:
                tries = "" if final else f" ({len(patience.pauses) + 1} tries)"
                raise PictureError(printable(why + tries)) from error
            sleep(pause)
    raise AssertionError("unreachable")  # pragma: no cover


def _why(error: Exception) -> tuple[bool, str]:
    """Whether an error will stay, and what it is."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and status >= 300:
        said = getattr(error, "message", "") or "an error of its own"
        return status in FINAL, FINAL.get(status, f"{status}, {said}")
    if isinstance(error, FileNotFoundError):
        return True, "no such file"
    if isinstance(error, PermissionError):
        return True, f"forbidden: {first_line(error)}"
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
        return True, "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or FSSPEC_S3_ANON=true"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return False, "it does not answer, or has stalled"
    if type(error).__name__ == "ClientPayloadError":
        return False, "it has broken off"
    return False, first_line(error)


def _filesystem(address: str, patience: Patience) -> Any:
    """Fsspec's file system for an address.

    Raises:
        PictureError: it is of another kind, or holds a password.
        DependencyError: a package is missing.
    """
    kind, _, rest = address.partition("://")
    if kind not in KINDS:
        raise PictureError(f"{kind} is not a kind of address that is read ({', '.join(KINDS)})")
    if "@" in rest.partition("/")[0]:
        raise PictureError("an address with a password would stand in every table: download it")
    try:
        import fsspec

        if kind == "s3":
            files = fsspec.filesystem(
                kind,
                config_kwargs={
                    "connect_timeout": patience.connect,
                    "read_timeout": patience.silence,
                    "retries": {"max_attempts": 1},
                },
                use_listings_cache=False,
            )
            files.retries = 1
            return files
        import aiohttp

        # fsspec keeps a file system for each set of arguments, and with it the connections.
        timeout = aiohttp.ClientTimeout(
            patience.total, sock_connect=patience.connect, sock_read=patience.silence
        )
        return fsspec.filesystem(kind, client_kwargs={"timeout": timeout}, use_listings_cache=False)
    except ImportError as error:
        raise DependencyError(f"{kind} needs {error.name}: pip install 'digitlens[archive]'") from error
