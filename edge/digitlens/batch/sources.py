"""Arguments -> items: paths, folders, globs, archives, manifests, stdin and addresses, one after another."""

import fnmatch
import glob
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from digitlens.batch import archives, folders, manifests, remote
from digitlens.batch.item import MOST_BYTES
from digitlens.batch.item import Failure as Failure
from digitlens.batch.item import Item as Item
from digitlens.batch.seen import Seen
from digitlens.core.errors import DigitLensError, reason
from digitlens.core.paths import as_text, is_special
from digitlens.images.documents import SUFFIXES
from digitlens.images.pictures import VIDEOS

STDIN = "-"
ARCHIVES = (*archives.ZIPS, *archives.TARS, *archives.PACKED_TARS)


def items(
    arguments: Sequence[str], *, videos: bool = False, stdin: BinaryIO | None = None
) -> Iterator[Item | Failure]:
    """What these arguments name, in a fixed order; what cannot be had is a Failure, and the rest goes on.

    Args:
        arguments: paths of documents, of folders (with their folders, sorted), of zip and tar archives, or
            into those; globs; manifests (CSV with a column `path`, JSON lines with "path", and an `id` where
            they like); `-` for stdin; addresses that begin with http://, https:// or s3://.
        videos: video files in folders, too.
        stdin: in its place.
    """
    seen = Seen()
    for argument in arguments:
        for one in _argument(argument, videos, stdin):
            unique = seen.unique(one.id)
            yield one if unique == one.id else _renamed(one, unique)


def _renamed(one: Item | Failure, unique: str) -> Item | Failure:
    if isinstance(one, Failure):
        return Failure(unique, one.source, one.reason)
    return Item(unique, one.source, one.file, one.span, one.data)


def _argument(argument: str, videos: bool, stdin: BinaryIO | None) -> Iterator[Item | Failure]:
    if argument == STDIN:
        yield _stdin(stdin or sys.stdin.buffer)
    elif argument.lower().endswith(manifests.SUFFIXES):
        yield from _manifest(argument, videos)
    elif not remote.is_address(argument) and glob.has_magic(argument) and not os.path.lexists(argument):
        found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute ones
        if not found:
            yield Failure(argument, argument, "nothing fits this pattern")
        for one in found:
            yield from _place(one, "", videos)
    else:
        yield from _place(argument, "", videos)


def _place(place: str, own: str, videos: bool) -> Iterator[Item | Failure]:
    """A file, an address, a folder or an archive; `own` is the id that a manifest gives it, or ""."""
    if remote.is_address(place):
        yield from _address(place, own or place)
        return
    path = Path(place)
    text = as_text(path)
    own = own or text
    if path.is_dir():
        yield from _folder(path, own, videos)
    else:
        yield from _file(path, own)


def _address(place: str, own: str) -> Iterator[Item | Failure]:
    """A file, an archive, or in S3 all that lies below an address, or fits a pattern."""
    is_pattern = place.startswith("s3://") and glob.has_magic(place)
    if not is_pattern and not (place.startswith("s3://") and (place.endswith("/") or place.count("/") == 2)):
        if archives.is_archive(place):
            yield from _archive(place, place, own)
        else:
            yield Item(own, place)
        return
    start = re.split(r"[*?[]", place, maxsplit=1)[0] if is_pattern else place.rstrip("/") + "/"
    some = False
    try:
        for found in remote.listed(start):
            if not found.lower().endswith((*SUFFIXES, *ARCHIVES)):
                continue
            if is_pattern and not fnmatch.fnmatchcase(found, place):
                continue
            some = True
            yield from _address(found, found if own == place else f"{own}/{found[len(start) :]}")
    except DigitLensError as error:
        yield Failure(own, place, reason(error))
        return
    if not some:
        yield Failure(own, place, "nothing fits this pattern" if is_pattern else "no pictures in this folder")


def _file(path: Path, own: str) -> Iterator[Item | Failure]:
    text = as_text(path)
    if archives.is_other(path.name):
        yield Failure(own, text, "a kind of archive that is not read: unpack it")
    elif archives.is_archive(path.name) and not is_special(path):
        yield from _archive(str(path), text, own)
    else:
        yield Item(own, text, "" if text == str(path) else str(path))


def _folder(folder: Path, own: str, videos: bool) -> Iterator[Item | Failure]:
    wanted = SUFFIXES | VIDEOS if videos else SUFFIXES
    some = False
    for path, error in folders.walk(folder, (*wanted, *ARCHIVES)):
        some = True
        name = own if path == folder else f"{own}/{as_text(path.relative_to(folder))}"
        if error is not None:
            yield Failure(name, as_text(path), error)
        else:
            yield from _file(path, name)
    if not some:
        yield Failure(own, as_text(folder), "no pictures in this folder")


def _archive(place: str, source: str, own: str) -> Iterator[Item | Failure]:
    """The documents in an archive at `place`."""
    some = False
    try:
        with closing(remote.opened(place)) as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(0)
            for member in archives.members(opened, place, size):
                text = member.name.encode(errors="replace").decode()
                base = PurePosixPath(text).name
                if base.startswith(folders.LEFT_OUT[0]) or text.startswith(folders.LEFT_OUT[1]):
                    continue
                if not text.lower().endswith((*SUFFIXES, *ARCHIVES, *archives.OTHERS)):
                    continue
                some = True
                inner, where = f"{own}/{text}", f"{source}/{text}"
                if member.error is not None:
                    yield Failure(inner, where, member.error)
                else:
                    yield Item(inner, where, place, member.span, member.data)
    except (OSError, DigitLensError) as error:
        yield Failure(own, source, reason(error))
        return
    if not some:
        yield Failure(own, source, "no pictures in this archive")


def _manifest(argument: str, videos: bool) -> Iterator[Item | Failure]:
    try:
        with closing(remote.opened(argument)) as file:
            for entry in manifests.entries(file, argument):
                if entry.error is not None:
                    where = f"{argument}:{entry.line}"
                    yield Failure(where, where, entry.error)
                else:
                    yield from _place(manifests.joined(argument, entry.path), entry.id, videos)
    except (OSError, DigitLensError) as error:
        yield Failure(argument, argument, reason(error))


def _stdin(stdin: BinaryIO) -> Item | Failure:
    content = stdin.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return Failure(STDIN, STDIN, archives.TOO_LARGE)
    if content.startswith(b"PK\3\4"):
        return Failure(STDIN, STDIN, "an archive: give it a name that ends in .zip, and name that")
    return Item(STDIN, STDIN, data=content)
