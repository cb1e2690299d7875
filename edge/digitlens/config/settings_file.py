"""The settings file -> Settings; whatever is wrong in it is told with its line and its mend."""

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from digitlens.config.settings import NAME, RegionSettings, Settings
from digitlens.core.errors import SettingsError

DEFAULT = Path("/etc/digitlens/config.toml")
LARGEST = 1 << 20
"""Bytes of a settings file; more is another file."""
LONGEST = 80
"""Letters of a key that an error repeats."""

Place = tuple[str, ...]
"""The keys that lead to a value: ("camera", "rate")."""

_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})")
_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


class _Wrong(Exception):  # noqa: N818  # becomes a SettingsError where its line is known
    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place, self.what = place, what


def load(path: Path, overrides: Mapping[Place, Any] | None = None) -> Settings:
    """Read a settings file; `overrides` stand above what it says.

    Raises:
        SettingsError: it cannot be read, or says what cannot be; one line, FILE:LINE first.
    """
    text = _text(path)
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_no_toml(path, text, str(error))) from error
    except RecursionError as error:
        raise SettingsError(f"{path}: brackets in brackets without end: no setting needs that") from error
    try:
        _check(_convert((), told, Settings))
    except _Wrong as wrong:
        line = _position(text, wrong.place)
        raise SettingsError(
            f"{path}{f':{line}' if line else ''}: {_named(wrong.place)}: {wrong.what}"
        ) from wrong
    return _overridden(told, overrides or {})


def chosen(path: Path | None, overrides: Mapping[Place, Any] | None = None) -> Settings:
    """The settings of a file that was named; without one, of the usual one if it is there.

    Raises:
        SettingsError: see load.
    """
    if path is not None or DEFAULT.exists():
        return load(path or DEFAULT, overrides)
    return defaults(overrides)


def defaults(overrides: Mapping[Place, Any] | None = None) -> Settings:
    """The settings without a file.

    Raises:
        SettingsError: an override cannot be.
    """
    return _overridden({}, overrides or {})


def _overridden(told: Mapping[str, Any], overrides: Mapping[Place, Any]) -> Settings:
    try:
        settings: Settings = _convert((), _merged(told, overrides), Settings)
        _check(settings)
    except _Wrong as wrong:
        raise SettingsError(f"{_named(wrong.place)}: {wrong.what}") from wrong
    return settings


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise SettingsError(f"{path}: larger than {LARGEST >> 20} MiB: not a settings file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line}: not UTF-8: save the file in that encoding") from error


def _no_toml(path: Path, text: str, said: str) -> str:
    """Tomllib's message with its position first, and the mend of the most frequent mistake."""
    where = re.search(r" ?\(at line (\d+), column (\d+)\)", said)
    line = int(where.group(1)) if where else text.rstrip().count("\n") + 1
    what = said[: where.start()] if where else re.sub(r" ?\(at end of document\)", "", said)
    written = text.splitlines()[line - 1 : line]
    bare = re.match(r"\s*[A-Za-z0-9_-]+\s*=\s*([^\s\"'\[{#]+)", written[0]) if written else None
    mend = (
        f': write it as "{bare.group(1)}" if it is text' if bare and what.startswith("Invalid value") else ""
    )
    return f"{path}:{line}: not TOML: {what}{mend}"


def _merged(told: Mapping[str, Any], overrides: Mapping[Place, Any]) -> dict[str, Any]:
    merged = dict(told)
    for place, value in overrides.items():
        inner = merged
        for key in place[:-1]:
            inner[key] = dict(inner.get(key, {}))
            inner = inner[key]
        inner[place[-1]] = value
    return merged


def _convert(place: Place, told: object, wanted: type[Any]) -> Any:
    """`told` as the struct `wanted`, one field after the other, so that an error has its place."""
    if not isinstance(told, dict):
        raise _Wrong(place, f"must be a section: [{'.'.join(place)}]")
    fields = {field.name: field for field in msgspec.structs.fields(wanted)}
    values: dict[str, Any] = {}
    for key, value in told.items():
        if key not in fields:
            raise _Wrong((*place, key), _unknown(place, key, list(fields)))
        values[key] = _value((*place, key), value, fields[key].type)
    for name, field in fields.items():
        if field.required and name not in values:
            raise _Wrong((*place, name), f"is missing; it must be {_allowed(field.type)}")
    try:
        return wanted(**values)
    except ValueError as error:  # of a struct that looks at several of its fields: "field: what is wrong"
        key, _, what = str(error).partition(": ")
        raise _Wrong((*place, key) if key in fields else place, what or str(error)) from error


def _value(place: Place, value: object, type_: Any) -> Any:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return _convert(place, value, type_)
    if place == ("region",):
        if not isinstance(value, dict):
            raise _Wrong(place, "must be a section with a name: [region.water]")
        for name in value:
            _named_well((*place, name), name, "a region's name is")
        return {name: _convert((*place, name), one, RegionSettings) for name, one in value.items()}
    try:
        found = msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise _Wrong(place, f"{_shown(value)}: must be {_allowed(type_)}") from error
    numbers = found if isinstance(found, tuple) else (found,)
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        raise _Wrong(place, f"{_shown(value)}: must be {_allowed(type_)}")
    return found


def _unknown(place: Place, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1, 0.5)
    if near:
        return f"no such setting; did you mean {near[0]}?"
    return f"no such setting; there are {', '.join(known)}"


def _allowed(type_: Any) -> str:
    """What a type takes, for people."""
    info = msgspec.inspect.type_info(type_)
    if isinstance(info, msgspec.inspect.UnionType):
        (info,) = (one for one in info.types if not isinstance(one, msgspec.inspect.NoneType))
    return _words(info)


def _words(info: msgspec.inspect.Type) -> str:
    if isinstance(info, msgspec.inspect.LiteralType):
        return "one of " + ", ".join(map(_shown, info.values))
    if isinstance(info, msgspec.inspect.BoolType):
        return "true or false"
    if isinstance(info, msgspec.inspect.TupleType):
        return f"a list of {len(info.item_types)}, each {_words(info.item_types[0])}"
    if isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
        return f"a list, each {_words(info.item_type)}"
    if isinstance(info, msgspec.inspect.StrType):
        if info.max_length is not None:
            return f"text in quotes, of at most {info.max_length} sign{'s'[: info.max_length != 1]}"
        return "text in quotes"
    if isinstance(info, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        words = "a whole number" if isinstance(info, msgspec.inspect.IntType) else "a number"
        low = info.ge if info.ge is not None else info.gt
        if low is None and info.le is None:
            return words
        if info.le is None:
            return f"{words}, {'at least' if info.ge is not None else 'more than'} {low:g}"
        return f"{words}, {low:g} to {info.le:.10g}"
    return f"a {type(info).__name__.removesuffix('Type').lower()}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _named_well(place: Place, name: str, what: str) -> None:
    if not NAME.fullmatch(name):
        raise _Wrong(place, f"{_shown(name)}: {what} of letters, digits, - and _, at most 64")


def _check(settings: Settings) -> None:
    """What no single type says."""
    if settings.name:
        _named_well(("name",), settings.name, "the device's name is")
    source = settings.camera.source
    if not source:
        raise _Wrong(("camera", "source"), 'is empty; take "auto", "picamera", "usb:N" or a path')
    if source.startswith("usb:") and not source.removeprefix("usb:").isdecimal():
        raise _Wrong(("camera", "source"), f"{_shown(source)}: take usb:N with the N of /dev/videoN")
    if "\0" in source + settings.reader.model + settings.journal.file:
        raise _Wrong(("camera", "source"), "a path has no zero bytes")
    if settings.web.listen:
        found = _LISTEN.fullmatch(settings.web.listen)
        if not found or not 0 < int(found.group(2)) < 65536:
            raise _Wrong(
                ("web", "listen"), f'{_shown(settings.web.listen)}: take HOST:PORT, as "127.0.0.1:8080"'
            )
    topic = settings.mqtt.topic
    if not topic or set(topic) & set("+#\0") or topic.startswith(("/", "$")) or topic.endswith("/"):
        raise _Wrong(("mqtt", "topic"), f"{_shown(topic)}: take a topic without +, # and outer slashes")
    if settings.webhook.url and not re.fullmatch(r"https?://[^\s/?#]+\S*", settings.webhook.url):
        raise _Wrong(("webhook", "url"), "take http://... or https://...")  # it may hold a secret
    for section, setting, asked in (
        ("mqtt", "broker", settings.mqtt.broker),
        ("webhook", "url", settings.webhook.url),
    ):
        if asked and not settings.journal.file:
            raise _Wrong((section, setting), "needs [journal] file, for what is sent is sent from there")
    for name, region in settings.region.items():
        _check_region(("region", name), region)


def _check_region(place: Place, region: RegionSettings) -> None:
    left, top, right, bottom = region.corners
    if not (left < right and top < bottom):
        raise _Wrong((*place, "corners"), "are left, top, right, bottom: left < right and top < bottom")
    if region.smallest is not None and region.largest is not None and region.smallest > region.largest:
        raise _Wrong((*place, "smallest"), f"{region.smallest:g} is more than largest, {region.largest:g}")
    if region.digits is not None and region.decimals > region.digits:
        raise _Wrong((*place, "decimals"), f"{region.decimals} of {region.digits} digits cannot be decimals")


def _named(place: Place) -> str:
    *sections, key = (part if len(part) <= LONGEST else f"{part[:LONGEST]}..." for part in place or ("",))
    if not sections:
        return key
    return f"[{'.'.join(sections)}] {key}"


def _position(text: str, place: Place) -> int:
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
    fence = ""  # of the text of several lines that this line is in
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if fence in line else fence
            continue
        if header := _HEADER.fullmatch(line):
            section = _parts(header.group(1))
            yield number, section
        elif key := _KEY.match(line):
            yield number, (*section, *_parts(key.group(1)))
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                fence = quotes


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
