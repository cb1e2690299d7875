"""Members of zip and tar archives: where they lie, and their content. Nothing is written to a disk."""

import bz2
import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, cast

from digitlens.core.errors import PictureError, first_line

ZIPS = (".zip",)
TARS = (".tar",)
GZIPPED = (".tar.gz", ".tgz")
PACKED_TARS = (*GZIPPED, ".tar.bz2", ".tbz2")
OTHERS = (".7z", ".rar", ".tar.xz", ".txz", ".tar.zst", ".xz", ".zst", ".gz", ".bz2")
"""Archives that are refused."""
MOST_BYTES = 100_000_000
"""Largest member, unpacked, in bytes."""
MOST_MEMBERS = 200_000
"""Most members of a zip, whose list stands in memory."""
MOST_RATIO = 200
"""How much larger than itself an archive may be, unpacked; beyond ALWAYS bytes."""
ALWAYS = 1_000_000_000
"""Size up to which an archive may unpack, however small it is, in bytes."""
MOST_HEADER = 1_000_000
"""Longest header of a tar's member, names of any length included, in bytes."""
TOO_LARGE = f"larger than {MOST_BYTES // 1_000_000} MB: store it as a file of its own"
BOMB = "it would unpack to more than {0} times its size: unpack it yourself if you trust it"
NESTED = "an archive within an archive: unpack the outer one"
OUTSIDE = "its path leads out of the archive"
LINK = "a link or a device: not followed"


class Span(NamedTuple):
    """Where a member lies: `kind` is zip or tar; `offset` of its header or its data, sizes in bytes."""

    kind: str
    offset: int
    packed: int
    size: int
    method: int = 0
    crc: int = 0


class Member(NamedTuple):
    """A member's name, and where it lies, or its content, or why it is refused."""

    name: str
    span: Span | None = None
    data: bytes | None = None
    error: str | None = None


def is_archive(name: str) -> bool:
    """Whether a name ends as an archive's that can be opened."""
    return name.lower().endswith((*ZIPS, *TARS, *PACKED_TARS))


def is_other(name: str) -> bool:
    """Whether a name ends as an archive's that is refused."""
    return name.lower().endswith(OTHERS) and not is_archive(name)


def parted(path: Path) -> tuple[Path, str] | None:
    """A path that leads into an archive -> the archive and the member's name; None for others."""
    for outer in path.parents:
        if is_archive(outer.name) and outer.is_file():
            return outer, path.relative_to(outer).as_posix()
    return None


def members(file: BinaryIO, name: str, size: int) -> Iterator[Member]:
    """Each member that is a file, in the archive's order; `size` is the archive's, in bytes.

    Of a compressed tar they bring their content along, for they cannot be found a second time.

    Raises:
        PictureError: it is no such archive, or unpacks to too much; in one line without its name.
    """
    lower = name.lower()
    with _one_line():
        if lower.endswith(ZIPS):
            yield from _zipped(file, size)
        elif lower.endswith(TARS):
            yield from _tarred(file, size, False)
        else:
            packed = gzip.GzipFile(fileobj=file) if lower.endswith(GZIPPED) else bz2.BZ2File(file)
            with packed as unpacked_tar:
                yield from _tarred(cast(BinaryIO, unpacked_tar), size, True)


def member(archive: Path, name: str) -> bytes:
    """The content of the first member of this name.

    Raises:
        PictureError: there is none, or it is refused; in one line without its name.
    """
    with archive.open("rb") as file:
        for one in members(file, archive.name, archive.stat().st_size):
            if one.name == name:
                if one.error is not None:
                    raise PictureError(one.error)
                return one.data if one.span is None else unpacked(file, one.span)  # type: ignore[return-value]
    raise PictureError("no such member of the archive")


def unpacked(file: BinaryIO, span: Span) -> bytes:
    """The content at a span.

    Raises:
        PictureError: it is broken.
    """
    with _one_line():
        file.seek(span.offset)
        if span.kind == "tar":
            content = file.read(span.size)
            if len(content) != span.size:
                raise PictureError("the archive is cut off")
            return content
        header = file.read(30)
        if header[:4] != b"PK\3\4" or len(header) < 30:
            raise PictureError("the archive is broken")
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(span.offset + 30 + lengths)
        packed = file.read(min(span.packed, MOST_BYTES * 2))
        if span.method == zipfile.ZIP_STORED:
            content = packed
        elif span.method == zipfile.ZIP_DEFLATED:
            content = zlib.decompressobj(-15).decompress(packed, span.size + 1)
        else:
            raise PictureError(f"compressed in a form that is not read ({span.method}): pack it by deflate")
        if len(content) != span.size or zlib.crc32(content) != span.crc:
            raise PictureError("the archive is broken")
        return content


def _zipped(file: BinaryIO, size: int) -> Iterator[Member]:
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # read before the list, which may be long
    if not end:
        raise PictureError("not a zip")
    if end[3] > MOST_MEMBERS or end[5] > MOST_MEMBERS * 400:
        raise PictureError(f"more than {MOST_MEMBERS} members: unpack it")
    archive = zipfile.ZipFile(file)
    infos = archive.infolist()
    if sum(info.file_size for info in infos) > max(ALWAYS, MOST_RATIO * size):
        raise PictureError(BOMB.format(MOST_RATIO))
    for info in infos:
        if info.is_dir():
            continue
        span = Span(
            "zip", info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC
        )
        error = _refused(info.filename, info.file_size)
        if error is None and info.flag_bits & 1:
            error = "it has a password"
        if error is None and info.external_attr >> 28 == 0o12:
            error = LINK
        yield Member(info.filename, None if error else span, None, error)


def _tarred(file: BinaryIO, size: int, carry: bool) -> Iterator[Member]:
    bounded = _Bounded(file, max(ALWAYS, MOST_RATIO * size) if carry else None)
    archive = tarfile.open(fileobj=cast(BinaryIO, bounded), mode="r:")  # noqa: SIM115
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # it would keep them all
        if info.isdir():
            continue
        error = _refused(info.name, info.size)
        if error is None and (
            info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.sparse is not None
        ):
            error = LINK
        if error is not None:
            yield Member(info.name, error=error)
        elif carry:
            file.seek(info.offset_data)
            content = file.read(info.size)
            if len(content) != info.size:
                raise PictureError("the archive is cut off")
            yield Member(info.name, data=content)
        else:
            yield Member(info.name, Span("tar", info.offset_data, info.size, info.size))


def _refused(name: str, size: int) -> str | None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
        return OUTSIDE
    if is_archive(name) or is_other(name):
        return NESTED
    return TOO_LARGE if size > MOST_BYTES else None


class _Bounded(io.RawIOBase):
    """What tarfile sees of a file: no read longer than a header, and none beyond `most` bytes."""

    def __init__(self, file: BinaryIO, most: int | None) -> None:
        self._file, self._most = file, most

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_HEADER:
            raise PictureError("the archive is broken: a header is too long")
        if self._most is not None and self._file.tell() > self._most:
            raise PictureError(BOMB.format(MOST_RATIO))
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        if self._most is not None and place > self._most:
            raise PictureError(BOMB.format(MOST_RATIO))
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


@contextmanager
def _one_line() -> Iterator[None]:
    """Whatever a broken archive raises, as a PictureError in one line."""
    try:
        yield
    except (PictureError, GeneratorExit):
        raise
    except Exception as error:  # zipfile, tarfile, zlib and gzip raise many kinds of errors
        raise PictureError(f"the archive is broken: {first_line(error)}") from error
