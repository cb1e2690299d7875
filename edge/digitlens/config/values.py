"""A value of the settings file -> the value of a setting's type; an error names the allowed values."""

import difflib
import math
from collections.abc import Collection
from typing import Any

import msgspec

from digitlens.config.settings import NAME, RegionSettings
from digitlens.config.toml_text import Place

MAX_SHOWN = 80
"""Length of a key that an error repeats at most, in letters."""


class Invalid(Exception):  # noqa: N818  # becomes a SettingsError where its line is known
    """A value that is not allowed, at its place; it becomes a SettingsError where its line is known."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(problem)
        self.place, self.problem = place, problem


def convert(place: Place, given: object, wanted: type[Any]) -> Any:
    """`given` as the struct `wanted`, one field after the other, so that an error has its place."""
    if not isinstance(given, dict):
        raise Invalid(place, f"must be a section: [{'.'.join(place)}]")
    fields = {field.name: field for field in msgspec.structs.fields(wanted)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in fields:
            raise Invalid((*place, key), unknown_key(key, list(fields)))
        values[key] = convert_value((*place, key), value, fields[key].type)
    for name, field in fields.items():
        if field.required and name not in values:
            raise Invalid((*place, name), f"is missing; it must be {_allowed_values(field.type)}")
    try:
        return wanted(**values)
    except ValueError as error:  # of a struct that looks at several of its fields: "field: what is wrong"
        raise from_check(place, error, fields.keys()) from error


def convert_value(place: Place, value: object, type_: Any) -> Any:
    """The value of one key, converted to the type of its setting."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return convert(place, value, type_)
    if place == ("region",):
        if not isinstance(value, dict):
            raise Invalid(place, "must be a section with a name: [region.water]")
        for name in value:
            check_name((*place, name), name, "a region's name is")
        return {name: convert((*place, name), one, RegionSettings) for name, one in value.items()}
    try:
        found = msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Invalid(place, f"{shown(value)}: must be {_allowed_values(type_)}") from error
    numbers = found if isinstance(found, tuple) else (found,)
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        raise Invalid(place, f"{shown(value)}: must be {_allowed_values(type_)}")
    return found


def from_check(place: Place, error: ValueError, keys: Collection[str]) -> Invalid:
    """The error of a check that looks at several values: "KEY: what is wrong"."""
    key, _, problem = str(error).partition(": ")
    return Invalid((*place, key), problem) if key in keys else Invalid(place, str(error))


def unknown_key(key: str, known: list[str]) -> str:
    """The error for a key that no setting has, with the nearest that one has."""
    near = difflib.get_close_matches(key, known, 1, 0.5)
    if near:
        return f"no such setting; did you mean {near[0]}?"
    return f"no such setting; there are {', '.join(known)}"


def _allowed_values(type_: Any) -> str:
    """What a type takes, for people."""
    info = _bare(msgspec.inspect.type_info(type_))
    if isinstance(info, msgspec.inspect.UnionType):
        (info,) = (one for one in info.types if not isinstance(one, msgspec.inspect.NoneType))
    return _in_words(_bare(info))


def _bare(info: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """A type without its description."""
    return info.type if isinstance(info, msgspec.inspect.Metadata) else info


def _in_words(info: msgspec.inspect.Type) -> str:
    if isinstance(info, msgspec.inspect.LiteralType):
        return "one of " + ", ".join(map(shown, info.values))
    if isinstance(info, msgspec.inspect.BoolType):
        return "true or false"
    if isinstance(info, msgspec.inspect.TupleType):
        return f"a list of {len(info.item_types)}, each {_in_words(info.item_types[0])}"
    if isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
        return f"a list, each {_in_words(info.item_type)}"
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


def shown(value: object) -> str:
    """A value as an error repeats it, in one short line."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_name(place: Place, name: str, subject: str) -> None:
    """Raise Invalid where a name does not fit into topics and ids."""
    if not NAME.fullmatch(name):
        raise Invalid(place, f"{shown(name)}: {subject} of letters, digits, - and _, at most 64")


def key_name(place: Place) -> str:
    """A key as people write it: [camera] rate."""
    *sections, key = (part if len(part) <= MAX_SHOWN else f"{part[:MAX_SHOWN]}..." for part in place or ("",))
    if not sections:
        return key
    return f"[{'.'.join(sections)}] {key}"
