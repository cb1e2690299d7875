"""The settings file: what is taken, what is refused, and the file that ships."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from digitlens.config.settings import RegionSettings
from digitlens.core.errors import SettingsError
from digitlens.outlets import registry

WELL = """
name = "cellar"

[camera]
source = "usb:1"
rate = 5
rotation = 90

[region.water]
corners = [0, 0.25, 0.5, 1]
digits = 5
rising = true
"""


def refused(folder: Path, text: str | bytes) -> str:
    path = folder / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SettingsError) as caught:
        registry.load_settings(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}")
    return line.removeprefix(f"{path}")


def test_what_is_set_is_taken_and_the_rest_is_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(WELL)
    settings = registry.load_settings(path)
    assert (settings.name, settings.log) == ("cellar", "info")
    assert (settings.camera.source, settings.camera.rate, settings.camera.width) == ("usb:1", 5.0, 1280)
    assert settings.region["water"].corners == (0, 0.25, 0.5, 1)
    assert settings.outlets == registry.default_settings().outlets


@pytest.mark.parametrize(("written", "taken"), [('"auto"', "auto"), ("0", 0), ("270", 270)])
def test_print_and_the_turn_of_the_page(tmp_path: Path, written: str, taken: object) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[reader]\nprinted = true\nturn = {written}\n")
    reader = registry.load_settings(path).reader
    assert (reader.printed, reader.turn) == (True, taken)
    assert registry.load_settings(path, {("reader", "turn"): 90}).reader.turn == 90


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf")  # as some editors begin a file
    assert registry.load_settings(path) == registry.default_settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[camera]\nrotaton = 90", ":2: [camera] rotaton: no such setting; did you mean rotation?"),
        ("[camrea]\n", ":1: camrea: no such setting; did you mean camera?"),
        ("\n\nxyz = 3", ":3: xyz: no such setting; there are name, log, camera, "),
        ("[camera]\n\nrotation = 45", ":3: [camera] rotation: 45: must be one of 0, 90, 180, 270"),
        ('log = "loud"', ':1: log: "loud": must be one of "debug", "error", "info", "warning"'),
        ('[camera]\nrate = "5"', ':2: [camera] rate: "5": must be a number, 0 to 1000'),
        ("[camera]\nrate = 5000", ":2: [camera] rate: 5000: must be a number, 0 to 1000"),
        ("[camera]\nrate = nan", ":2: [camera] rate: nan: must be a number"),
        ("[camera]\nwidth = 12.5", ":2: [camera] width: 12.5: must be a whole number, 64 to 8192"),
        ("[reader]\nthreads = true", ":2: [reader] threads: true: must be a whole number"),
        ('[reader]\nseparator = ".,"', ':2: [reader] separator: ".,": must be text in quotes, of at most 1'),
        ("[reader]\nprinted = 1", ":2: [reader] printed: 1: must be true or false"),
        ("[reader]\nturn = 45", ':2: [reader] turn: 45: must be one of 0, 90, 180, 270, "auto"'),
        ('[reader]\nturn = "90"', ':2: [reader] turn: "90": must be one of 0, 90, 180, 270, "auto"'),
        ("[mqtt]\nport = 65536", ":2: [mqtt] port: 65536: must be a whole number, 0 to 65535"),
        ("[mqtt]\ntls = 1", ":2: [mqtt] tls: 1: must be true or false"),
        ('[mqtt]\ntopic = "a/#"', ':2: [mqtt] topic: "a/#": take a topic without'),
        ('[web]\nlisten = "8080"', ':2: [web] listen: "8080": take HOST:PORT'),
        ('[web]\nlisten = "host:70000"', ':2: [web] listen: "host:70000": take HOST:PORT'),
        ('[webhook]\nurl = "ftp://x"', ":2: [webhook] url: take http://... or https://..."),
        ('[camera]\nsource = "usb:x"', ':2: [camera] source: "usb:x": take usb:N'),
        ('[camera]\nsource = ""', ":2: [camera] source: is empty"),
        ('name = "a/b"', ':1: name: "a/b": the device\'s name is of letters'),
        ("camera = 3", ":1: camera: must be a section: [camera]"),
        ("camera = { rate = -1 }", ":1: [camera] rate: -1: must be"),
        ("camera.rate = -1", ":1: [camera] rate: -1: must be"),
        ("[region]\nwater = 3", ":2: [region] water: must be a section: [region.water]"),
        ("[region.water]\ndigits = 5", ":1: [region.water] corners: is missing; it must be a list of 4"),
        ("[region.water]\ncorners = [0, 0, 1]", ":2: [region.water] corners: [0, 0, 1]: must be a list of 4"),
        ("[region.water]\ncorners = [0, 0, 2, 1]", ":2: [region.water] corners: [0, 0, 2, 1]: must be"),
        ("[region.water]\ncorners = [0.5, 0, 0.5, 1]", ":2: [region.water] corners: "),
        ('[region."a b"]\ncorners = [0, 0, 1, 1]', ":1: [region] a b: "),
        ("[region.a]\ncorners = [0, 0, 1, 1]\nsmallest = 5\nlargest = 4", ":3: [region.a] smallest: "),
        ('[camera]\nsource = """\n[camera]\nrate = 3\n"""\nrate = -3', ":6: [camera] rate: -3"),
        ("[camera]\nsource = usb:0", ':2: not TOML: Invalid value: write it as "usb:0" if it is text'),
        ("[camera", ":1: not TOML: "),
        ("[camera]\nrate = 3\nrate = 4", ":3: not TOML: Cannot overwrite a value"),
        ("[camera]\n[camera]", ":2: not TOML: "),
        (b"[camera]\n# \xff", ":2: not UTF-8"),
        (b"#" * (1 << 20) + b"#", ": larger than 1 MiB"),
        ("a = " + "[" * 5000, ": brackets are nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert refused(tmp_path, text).startswith(said)


def test_no_address_of_a_webhook_is_repeated_for_it_may_hold_a_secret(tmp_path: Path) -> None:
    assert "hunter2" not in refused(tmp_path, '[webhook]\nurl = "htp://user:hunter2@host/"')


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.toml: no such file"):
        registry.load_settings(tmp_path / "nothing.toml")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        registry.load_settings(tmp_path)


def test_overrides_stand_above_the_file_and_are_judged_too(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(WELL)
    settings = registry.load_settings(path, {("camera", "rate"): 2, ("web", "listen"): "[::1]:80"})
    listen = getattr(settings.outlets["web"], "listen")  # noqa: B009  # its type is the outlet's
    assert (settings.camera.rate, settings.camera.rotation, listen) == (2.0, 90, "[::1]:80")
    with pytest.raises(SettingsError, match=r"^\[camera\] rate: -2: must be a number, 0 to 1000$"):
        registry.load_settings(path, {("camera", "rate"): -2})
    path.write_text("[camera]\nrate = -1")
    with pytest.raises(SettingsError, match=":2: "):  # a file that is wrong stays wrong
        registry.load_settings(path, {("camera", "rate"): 2})


SETTING = re.compile(r"# ([a-z_]+) = .*")


def shipped(root: Path) -> str:
    return (root / "deploy" / "config.toml").read_text()


def uncommented(text: str) -> dict[str, Any]:
    lines = [
        line[2:] if SETTING.fullmatch(line) or line == "# [region.water]" else line
        for line in text.splitlines()
    ]
    return tomllib.loads("\n".join(lines))


def test_the_shipped_file_sets_nothing(root: Path) -> None:
    assert registry.load_settings(root / "deploy" / "config.toml") == registry.default_settings()


def test_the_shipped_file_is_made_of_the_settings_descriptions(root: Path) -> None:
    """Made again by: digitlens serve --example > deploy/config.toml."""
    assert shipped(root) == registry.example_settings()


def test_the_shipped_file_names_every_setting_with_its_default(root: Path, tmp_path: Path) -> None:
    values = uncommented(shipped(root))
    path = tmp_path / "config.toml"
    path.write_text("\n".join(line[2:] if SETTING.fullmatch(line) or line == "# [region.water]" else line
                              for line in shipped(root).splitlines()))  # fmt: skip
    registry.load_settings(path)  # all of them together are allowed
    defaults = registry.default_settings()
    assert (values["name"], values["log"]) == (defaults.name, defaults.log)
    ours = {name: getattr(defaults, name) for name in ("camera", "reader", "journal")}
    for section, default in {**ours, **defaults.outlets}.items():
        fields = {field.name: field.default for field in msgspec.structs.fields(type(default))}
        assert list(values[section]) == list(fields), section
        for name, value in fields.items():
            if value is not None:  # a setting without a default is shown with an example
                found = values[section][name]
                assert (tuple(found) if isinstance(value, tuple) else found) == value, (section, name)
    assert list(values["region"]["water"]) == [field.name for field in msgspec.structs.fields(RegionSettings)]


def test_the_shipped_file_has_a_sentence_for_every_setting(root: Path) -> None:
    for block in re.split(r"\n\s*\n", shipped(root)):
        lines = [line for line in block.splitlines() if line.startswith("#")]
        if any(SETTING.fullmatch(line) for line in lines):
            assert not SETTING.fullmatch(lines[0]), block
            assert "." in " ".join(lines)


def test_a_key_of_an_earlier_version_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[reader]\nthreads = 2\nwhole = "all"\n')
    lines: list[str] = []
    settings = registry.load_settings(path, warn=lines.append)
    assert (settings.reader.row_network, settings.reader.threads) == ("all", 2)
    assert lines == [f"{path}:3: [reader] whole is now called row_network"]
    assert refused(tmp_path, '[reader]\nwhole = "some"').startswith(":2: [reader] row_network: ")


def test_a_pipe_as_settings_file_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="not a file, but a pipe or a device"):
        registry.load_settings(path)
