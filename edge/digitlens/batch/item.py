"""What a source consists of: items to read, and what cannot be."""

from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from digitlens.batch import archives, remote
from digitlens.core.errors import DependencyError, PictureError, reason
from digitlens.core.paths import SPECIAL, is_special

MOST_BYTES = archives.MOST_BYTES
"""Largest content that `Item.read` gives, in bytes."""


@dataclass(frozen=True, slots=True)
class Item:
    """A document, or a file that may be one; it can be pickled, and read in another process.

    Args:
        id: unique among the items of one run, and the same in the next one.
        source: where it is, as people write it: a path, an address, or ARCHIVE/MEMBER.
        file: the file to open: an archive, or one whose name is no text that can be printed; "" for `source`.
        span: where it lies in that archive.
        data: its content, where it cannot be had a second time: from stdin, or a compressed tar.
    """

    id: str
    source: str
    file: str = ""
    span: archives.Span | None = None
    data: bytes | None = field(default=None, repr=False)

    @property
    def path(self) -> Path | None:
        """The file itself, if it is one of this machine, and not in an archive."""
        if self.data is not None or self.span is not None or remote.is_address(self.file or self.source):
            return None
        path = Path(self.file or self.source)
        return path if path.exists() or archives.parted(path) is None else None

    def absolute(self) -> "Item":
        """The same for a process that works in another folder."""
        place = self.file or self.source
        if self.data is not None or remote.is_address(place):
            return self
        return replace(self, file=str(Path(place).absolute()))

    def document(self) -> bytes | Path:
        """What `images.documents.pages` takes: the path of a file of this machine, else the content.

        Raises:
            PictureError: it cannot be had, in one line that names it.
        """
        path = self.path
        return self.read() if path is None else path

    def read(self) -> bytes:
        """The content.

        Raises:
            PictureError: it cannot be had, or is larger than MOST_BYTES; in one line that names it.
            DependencyError: it needs the extra `archive`.
        """
        if self.data is not None:
            return self.data
        place = self.file or self.source
        try:
            if self.span is not None:
                with closing(remote.opened(place)) as file:
                    return archives.unpacked(file, self.span)
            if remote.is_address(place):
                return remote.fetched(place, MOST_BYTES)
            path = Path(place)
            inner = None if path.exists() else archives.parted(path)
            if inner is not None:
                return archives.member(*inner)
            if is_special(path):
                raise PictureError(SPECIAL)
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except DependencyError as error:
            raise DependencyError(f"{self.source}: {error}") from error
        except (OSError, PictureError) as error:
            raise PictureError(f"{self.source}: {reason(error)}") from error
        if len(content) > MOST_BYTES:
            raise PictureError(f"{self.source}: {archives.TOO_LARGE}")
        return content


@dataclass(frozen=True, slots=True)
class Failure:
    """What is not read, and why, in one line that does not name it."""

    id: str
    source: str
    reason: str
