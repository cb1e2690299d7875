"""Settings files -> settings_file.load."""

import random
import re
from pathlib import Path

import msgspec

from digitlens.config import settings_file
from digitlens.config.settings import Settings
from digitlens.core.errors import SettingsError
from digitlens.outlets import registry
from fuzz.cases import Found, Ready, mutated, one_line

ROOT = Path(__file__).resolve().parents[3]

_shipped = [
    line[2:] if re.fullmatch(r"# ([a-z_]+ = .*|\[region\.water\])", line) else line
    for line in (ROOT / "deploy" / "config.toml").read_text().splitlines()
]
VALUES = [
    "1", "-1", "0", "nan", "inf", "-inf", "1e400", "99999999999999999999999", "true", '""', '"x"', "[]", "{}",
    "[1,2,3,4]", "[0,0,1,1]", "{a={b={c=1}}}", '"\\u0000"', '"""\n[camera]\n"""', "1979-05-27T07:32:00Z",
    "0x7fffffffffffffff",
    "'''", "=", '"usb:9"', '"[::]:80"', '"\\uD800"', "0.5", "[[[[]]]]",
]  # fmt: skip


def settings(case: random.Random, folder: Path, ready: Ready) -> None:
    """Settings files with mutated lines, values or bytes."""
    lines = [line for line in _shipped if line and not line.startswith("#")]
    lines = case.sample(lines, case.randrange(len(lines) + 1)) if case.random() < 0.3 else list(lines)
    for _ in range(case.choice([0, 1, 1, 2, 5])):
        if not lines:
            break
        place = case.randrange(len(lines))
        key = lines[place].partition(" =")[0]
        how = case.randrange(6)
        if how < 3:
            lines[place] = f"{key} = {case.choice(VALUES)}"
        elif how == 3:
            lines.insert(
                place,
                case.choice(
                    ["[camera]", "[region.x]", "[region]", "[[camera]]", "a.b.c = 1", "[a.'b'.\"c\"]"]
                ),
            )
        elif how == 4:
            del lines[place]
        else:
            lines[place] = f"{key[:-1]}{case.choice('xyz')} = 1"
    content = case.choice(["\n", "\r\n", "\n\n"]).join(lines).encode(errors="replace")
    for _ in range(case.choice([0, 0, 1, 4])):
        content = mutated(case, content)
    path = folder / "config.toml"
    path.write_bytes(content)
    overrides = {("camera", "rate"): case.choice([1, -1, "x"])} if case.random() < 0.1 else {}
    ready()
    try:
        found = settings_file.load(path, overrides, registry.sections())
    except SettingsError as error:
        one_line(error)
        if not str(error).startswith((str(path), "[")):
            raise Found(f"names no place in the file: {error}") from error
        return
    if not isinstance(found, Settings):
        raise Found(f"{found}")
    msgspec.json.encode(found)
