"""The text of a settings file: read, and its keys found line by line, so that an error names its line."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from digitlens.core.errors import SettingsError
from digitlens.core.paths import SPECIAL, is_special

MAX_BYTES = 1 << 20
"""Size of a settings file at most, in bytes; a larger one is another file."""
Place = tuple[str, ...]
"""The keys that lead to a value: ("camera", "rate"); of the second [[field]]: ("field", "2", "name")."""

_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def read_text(path: Path) -> str:
    """The text of a settings file.

    Raises:
        SettingsError: it cannot be read, is too large or is not UTF-8.
    """
    if is_special(path):
        raise SettingsError(f"{path}: {SPECIAL}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{path}: larger than {MAX_BYTES >> 20} MiB: not a settings file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line}: not UTF-8: save the file in that encoding") from error


def not_toml(path: Path, text: str, message: str) -> str:
    """Tomllib's message with its position first, and the fix of the most frequent mistake."""
    where = re.search(r" ?\(at line (\d+), column (\d+)\)", message)
    line = int(where.group(1)) if where else text.rstrip().count("\n") + 1
    problem = message[: where.start()] if where else re.sub(r" ?\(at end of document\)", "", message)
    written = text.splitlines()[line - 1 : line]
    bare = re.match(r"\s*[A-Za-z0-9_-]+\s*=\s*([^\s\"'\[{#]+)", written[0]) if written else None
    is_bare = bare is not None and problem.startswith("Invalid value")
    fix = f': write it as "{bare.group(1)}" if it is text' if bare is not None and is_bare else ""
    return f"{path}:{line}: not TOML: {problem}{fix}"


def line_of(text: str, place: Place) -> int:
    """The line of a key, or of the innermost section around it that has one; 0 if none has."""
    best, line = 0, 0
    for number, keys in _keys(text):
        common = keys[: len(place)]
        if place[: len(common)] == common and len(common) > best:
            best, line = len(common), number
    return line


def _keys(text: str) -> Iterator[tuple[int, Place]]:
    """The keys and sections of a TOML text that is valid, each with its line."""
    section: Place = ()
    counts: dict[Place, int] = {}  # of the sections [[...]] so far
    fence = ""  # of the text of several lines that this line is in
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if header := _HEADER.fullmatch(line):
            section = _section(_parts(header.group(1)), counts, line.lstrip().startswith("[["))
            yield number, section
        elif key := _KEY.match(line):
            yield number, (*section, *_parts(key.group(1)))
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                fence = quotes


def _section(keys: Place, counts: dict[Place, int], is_new: bool) -> Place:
    """The place of a section's header; those of arrays, [[field]], are counted from 1."""
    place: Place = ()
    for depth, key in enumerate(keys, 1):
        place = (*place, key)
        if is_new and depth == len(keys):
            counts[place] = counts.get(place, 0) + 1
        if place in counts:
            place = (*place, str(counts[place]))
    return place


def _parts(key: str) -> Place:
    try:
        inner: object = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts = []
    while isinstance(inner, dict):
        ((part, inner),) = cast("dict[str, object]", inner).items()
        parts.append(part)
    return tuple(parts)
