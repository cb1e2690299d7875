"""The manifest of a run: what decides its rows. A run goes on in its folder only if nothing of it differs."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

import msgspec

from digitlens.batch.rows import TABLES
from digitlens.batch.tables import sync_folder
from digitlens.core.errors import BatchError, reason

NAME = "manifest.json"
VERSION = 1


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run's rows depend on.

    Args:
        format: of the tables, see digitlens.batch.writers.
        fingerprint: of models, options and template, by their names.
        sources: as they were given first; they may be others later.
        tables: their columns with their types.
        version: of this file.
    """

    format: str
    fingerprint: dict[str, str]
    sources: tuple[str, ...]
    tables: dict[str, dict[str, str]] = msgspec.field(default_factory=lambda: TABLES)
    version: int = VERSION


def load(folder: Path) -> Manifest | None:
    """A folder's manifest; None if it has none.

    Raises:
        BatchError: it cannot be read.
    """
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BatchError(f"{path}: not the manifest of a run: {reason(error)}") from error


def require(folder: Path) -> Manifest:
    """A folder's manifest.

    Raises:
        BatchError: there is none.
    """
    found = load(folder)
    if found is None:
        raise BatchError(f"{folder}: no run is here: begin one with digitlens batch SOURCE --out {folder}")
    return found


def begin(folder: Path, wanted: Manifest) -> bool:
    """Begin a run in a folder, or go on with the one that is there; whether it goes on.

    Raises:
        BatchError: the folder is another run's, or has something else in it.
    """
    found = load(folder)
    if found is None:
        if any(folder.glob("*/part-*")):
            raise BatchError(f"{folder}: has tables without a manifest: take another --out")
        write(folder, wanted)
        return False
    differences = [
        f"{name} {found.fingerprint.get(name) or 'none'}, now {wanted.fingerprint.get(name) or 'none'}"
        for name in {**found.fingerprint, **wanted.fingerprint}
        if found.fingerprint.get(name) != wanted.fingerprint.get(name)
    ]
    if found.format != wanted.format:
        differences.append(f"format {found.format}, now {wanted.format}")
    if differences or found.tables != wanted.tables:
        what = "; ".join(differences) or "other columns"
        raise BatchError(f"{folder}: was read otherwise ({what}): take another --out, or the same options")
    return True


def write(folder: Path, manifest: Manifest) -> None:
    """Write a folder's manifest at once or not at all."""
    write_text(folder / NAME, json.dumps(msgspec.to_builtins(manifest), indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file at once or not at all; it is on the disk when this returns.

    Raises:
        BatchError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise BatchError(f"{path}: cannot be written: {reason(error)}") from error


class Lock:
    """Keeps a second run out of a folder, which is made if it is missing; the kernel frees it when we end.

    Raises:
        BatchError: another run is in it, or it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise BatchError(f"{folder}: {reason(error)}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise BatchError(
                f"{folder}: another run is writing here: wait for it, or take another --out"
            ) from error

    def __enter__(self) -> "Lock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
