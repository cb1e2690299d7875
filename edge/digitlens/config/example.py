"""A settings file with every setting, its default and a sentence, made of the settings' own descriptions."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from digitlens.config.settings import RegionSettings, Settings

WIDTH = 110
"""Length of a line at most, in letters."""
HEAD = """\
The settings of digitlens, at /etc/digitlens/config.toml. Every setting stands here with its default, as a
comment: remove the "# " before it to change it. This command names the line of an error:

    digitlens serve --check

and this one applies the changes to a running service without losing a frame:

    sudo systemctl reload digitlens

If the settings cannot be applied, the service goes on with the old ones and logs the reason.
"""
REGION = """\
A part of the picture with a name, and what a number that stands there must be. There may be many, each with
a name of its own in place of "water".
"""


def render(sections: Mapping[str, type[msgspec.Struct]]) -> str:
    """The text of the file; `sections` are the settings' types of the outlets, by name."""
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    lines = [*_comment(HEAD), ""]
    for name in ("name", "log"):
        lines += [*_setting(fields[name]), ""]
    own = {name: type(fields[name].default) for name in ("camera", "reader", "journal")}
    for name, type_ in {**own, **sections}.items():
        lines += [f"[{name}]", *_section(type_)]
    lines += [*_comment(REGION), "# [region.water]", "", *_section(RegionSettings)]
    return "\n".join(lines).rstrip() + "\n"


def _section(type_: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(type_):
        yield from _setting(field)
        yield ""


def _setting(field: msgspec.structs.FieldInfo) -> Iterator[str]:
    """The description of a setting as comments, and the setting itself, commented out."""
    meta = _meta(field.type)
    yield from _comment(meta.get("description", ""))
    # Where nothing is the default, an example says more.
    shown = field.default if field.default not in (None, "", msgspec.NODEFAULT) else None
    examples = meta.get("examples", [])
    value = examples[0] if shown is None and examples else field.default
    yield f"# {field.name} = {_toml(value)}"


def _meta(type_: Any) -> dict[str, Any]:
    info = msgspec.inspect.type_info(type_)
    return dict(info.extra_json_schema or {}) if isinstance(info, msgspec.inspect.Metadata) else {}


def _comment(text: str) -> Iterator[str]:
    """Each paragraph wrapped; indented lines stay as they are."""
    for count, paragraph in enumerate(text.strip("\n").split("\n\n")):
        if count:
            yield "#"
        if paragraph.startswith(" "):
            yield from (f"# {line}" for line in paragraph.splitlines())
        else:
            yield from textwrap.wrap(
                " ".join(paragraph.split()), WIDTH, initial_indent="# ", subsequent_indent="# "
            )


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
