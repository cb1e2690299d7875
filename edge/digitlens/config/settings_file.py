"""The settings file -> Settings; an error in it names the line and the fix."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from digitlens.config.settings import RegionSettings, Settings
from digitlens.config.toml_text import Place, line_of, not_toml, read_text
from digitlens.config.values import (
    Invalid,
    check_name,
    convert,
    convert_value,
    from_check,
    key_name,
    shown,
    unknown_key,
)
from digitlens.core.errors import SettingsError

DEFAULT = Path("/etc/digitlens/config.toml")
RENAMED: dict[Place, Place] = {("reader", "whole"): ("reader", "row_network")}
"""Keys of earlier versions, which are still read -> the keys of today."""


class Section(NamedTuple):
    """A section that an outlet brings.

    `check` raises ValueError("KEY: what is wrong") where its values do not go together. Where it `is_on`,
    above all by the key `switch`, and `needs_journal`, the settings must name a journal.
    """

    type: type[msgspec.Struct]
    check: Callable[[Any], None]
    switch: str
    is_on: Callable[[Any], bool]
    needs_journal: bool


Sections = Mapping[str, Section]
Warn = Callable[[str], None]


def load(
    path: Path,
    overrides: Mapping[Place, Any] | None = None,
    sections: Sections | None = None,
    warn: Warn = lambda line: None,
) -> Settings:
    """Read a settings file; `overrides` take precedence over it.

    `sections` are those of the outlets, by name; `warn` is handed a line for each key of an earlier version.

    Raises:
        SettingsError: it cannot be read, or a value is not allowed; one line, FILE:LINE first.
    """
    text = read_text(path)
    sections = sections or {}
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(not_toml(path, text, str(error))) from error
    except RecursionError as error:
        raise SettingsError(f"{path}: brackets are nested too deeply") from error
    renamed = _with_new_names(values)
    try:
        _check(_settings(values, sections), sections)
    except Invalid as invalid:
        line = line_of(text, next((old for old, new in renamed if new == invalid.place), invalid.place))
        raise SettingsError(
            f"{path}{f':{line}' if line else ''}: {key_name(invalid.place)}: {invalid.problem}"
        ) from invalid
    for old, new in renamed:
        warn(f"{path}:{line_of(text, old)}: {key_name(old)} is now called {new[-1]}")
    return _overridden(values, overrides or {}, sections)


def chosen(
    path: Path | None,
    overrides: Mapping[Place, Any] | None = None,
    sections: Sections | None = None,
    warn: Warn = lambda line: None,
) -> Settings:
    """The settings of a file that was named; without one, of the usual one if it exists.

    Raises:
        SettingsError: see load.
    """
    if path is not None or DEFAULT.exists():
        return load(path or DEFAULT, overrides, sections, warn)
    return defaults(overrides, sections)


def defaults(overrides: Mapping[Place, Any] | None = None, sections: Sections | None = None) -> Settings:
    """The settings without a file.

    Raises:
        SettingsError: an override is not allowed.
    """
    return _overridden({}, overrides or {}, sections or {})


def _overridden(values: Mapping[str, Any], overrides: Mapping[Place, Any], sections: Sections) -> Settings:
    try:
        settings = _settings(_merged(values, overrides), sections)
        _check(settings, sections)
    except Invalid as invalid:
        raise SettingsError(f"{key_name(invalid.place)}: {invalid.problem}") from invalid
    return settings


def _with_new_names(values: dict[str, Any]) -> list[tuple[Place, Place]]:
    """Put the values of old keys in the place of the new ones; which keys those were."""
    found = []
    for old, new in RENAMED.items():
        section = values.get(old[0])
        if isinstance(section, dict) and old[-1] in section:
            section.setdefault(new[-1], section[old[-1]])
            del section[old[-1]]
            found.append((old, new))
    return found


def _settings(values: Mapping[str, Any], sections: Sections) -> Settings:
    """The settings, in the order of the file, so that the first error is the first in it."""
    types = {field.name: field.type for field in msgspec.structs.fields(Settings) if field.name != "outlets"}
    ours: dict[str, Any] = {}
    outlets: dict[str, msgspec.Struct] = {}
    for key, value in values.items():
        if key in sections:
            outlets[key] = convert((key,), value, sections[key].type)
        elif key in types:
            ours[key] = convert_value((key,), value, types[key])
        else:
            raise Invalid((key,), unknown_key(key, [*types, *sections]))
    for name, section in sections.items():
        if name not in outlets:
            outlets[name] = section.type()
    return Settings(**ours, outlets=outlets)


def _merged(values: Mapping[str, Any], overrides: Mapping[Place, Any]) -> dict[str, Any]:
    merged = dict(values)
    for place, value in overrides.items():
        inner = merged
        for key in place[:-1]:
            inner[key] = dict(inner.get(key, {}))
            inner = inner[key]
        inner[place[-1]] = value
    return merged


def _check(settings: Settings, sections: Sections) -> None:
    """What no single type says."""
    if settings.name:
        check_name(("name",), settings.name, "the device's name is")
    source = settings.camera.source
    if not source:
        raise Invalid(("camera", "source"), 'is empty; take "auto", "picamera", "usb:N" or a path')
    if source.startswith("usb:") and not source.removeprefix("usb:").isdecimal():
        raise Invalid(("camera", "source"), f"{shown(source)}: take usb:N with the N of /dev/videoN")
    if "\0" in source + settings.reader.model + settings.journal.file:
        raise Invalid(("camera", "source"), "a path has no zero bytes")
    for name, section in sections.items():
        values = settings.outlets[name]
        try:
            section.check(values)
        except ValueError as error:
            raise from_check((name,), error, values.__struct_fields__) from error
    for name, section in sections.items():
        is_on = section.is_on(settings.outlets[name])
        if is_on and section.needs_journal and not settings.journal.file:
            raise Invalid((name, section.switch), "needs [journal] file, for readings are sent from there")
    for name, region in settings.region.items():
        _check_region(("region", name), region)


def _check_region(place: Place, region: RegionSettings) -> None:
    left, top, right, bottom = region.corners
    if not (left < right and top < bottom):
        raise Invalid((*place, "corners"), "are left, top, right, bottom: left < right and top < bottom")
    if region.smallest is not None and region.largest is not None and region.smallest > region.largest:
        raise Invalid((*place, "smallest"), f"{region.smallest:g} is more than largest, {region.largest:g}")
    if region.digits is not None and region.decimals > region.digits:
        raise Invalid((*place, "decimals"), f"{region.decimals} of {region.digits} digits cannot be decimals")
