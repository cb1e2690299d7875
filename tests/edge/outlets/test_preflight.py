"""What would stop or weaken an outlet is said before it is opened: digitlens serve --check."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")
pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.core.errors import SettingsError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.assembly import OutletAssembly, preflight, warnings
from digitlens.outlets.registry import load_settings
from tests.edge.outlets.brokers import certificates, free_port

TOKEN = "correct-horse-battery"  # noqa: S105


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds a token, a file that others can read, and some that are no secrets."""
    for name, text, mode in (
        ("token", TOKEN, 0o600), ("open", TOKEN, 0o644), ("short", "abcde", 0o600), ("empty", "\n", 0o600),
        ("address", "https://a.example/?s3cret", 0o600), ("user", "https://me:s3cret@a.example/", 0o600),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "linked.db").touch()
    (tmp_path / "second.db").hardlink_to(tmp_path / "linked.db")
    (tmp_path / "astray.db").symlink_to(tmp_path / "missing" / "journal.db")
    return tmp_path


def said(folder: Path, text: str) -> tuple[list[str], list[str]]:
    """Problems and warnings of these settings; FOLDER stands for the files' folder, PORT for a free port."""
    file = folder / "config.toml"
    journal = "" if "[journal]" in text else '[journal]\nfile = "FOLDER/journal.db"\n'
    file.write_text((journal + text).replace("FOLDER", str(folder)).replace("PORT", str(free_port())))
    try:
        settings = load_settings(file)
    except SettingsError as error:
        return [str(error)], []
    problems = preflight(settings)
    return problems, [] if problems else warnings(settings)


# Each worker must collect the same tests: a free port is put in later.
WEB = '[web]\nlisten = "0.0.0.0:PORT"\n'
LOCAL = '[web]\nlisten = "127.0.0.1:PORT"\n'
MQTT = '[mqtt]\nbroker = "192.0.2.7"\n'
HOOK = '[webhook]\nurl = "https://a.example/"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WEB, "so the page needs a token"),
        (WEB + 'token_file = "FOLDER/open"', "token_file: FOLDER/open: others than its group can reach it"),
        (WEB + 'token_file = "FOLDER/short"', "token_file: FOLDER/short: a token is one line of 16 to 512"),
        (LOCAL + 'token_file = "FOLDER/short"', "token_file: FOLDER/short: a token is one line of 16 to 512"),
        (WEB + 'token_file = "FOLDER/none"', "token_file: FOLDER/none cannot be read: No such file"),
        (WEB + 'token_file = "FOLDER/pipe"', "token_file: FOLDER/pipe cannot be read: not a file"),
        ('[web]\nlisten = "192.0.2.1:8080"\ntoken_file = "FOLDER/token"', "this machine has no such address"),
        ('[web]\nlisten = "nowhere.invalid:8080"\ntoken_file = "FOLDER/token"', "there is no such host"),
        (MQTT + 'discovery = "home/#"', '[mqtt] discovery: "home/#": take a topic without +, # and outer'),
        (MQTT + 'discovery = "/home"', "[mqtt] discovery: "),
        ('[mqtt]\nbroker = "192.0.2.7:1883"', '[mqtt] broker: "192.0.2.7:1883": take the host alone'),
        ('[mqtt]\nbroker = "mqtt://a"', '[mqtt] broker: "mqtt://a": take the host alone'),
        (MQTT + 'user = "pi"\npassword_file = "FOLDER/open"', "FOLDER/open: others than its group"),
        (MQTT + 'user = "pi"\npassword_file = "FOLDER/empty"', "FOLDER/empty: must hold one line"),
        (MQTT + 'tls = true\nca_file = "FOLDER/token"', "[mqtt] ca_file: FOLDER/token: holds no certificate"),
        (HOOK + 'ca_file = "FOLDER/token"', "[webhook] ca_file: FOLDER/token: holds no certificate"),
        (HOOK + 'key_file = "FOLDER/open"', "[webhook] key_file: FOLDER/open: others than its group"),
        (HOOK + 'url_file = "FOLDER/address"', "[webhook] url_file: holds the address, and so does url"),
        ('[webhook]\nurl = "https://a.example:99999/"', "[webhook] url: Port out of range"),
        ('[webhook]\nurl = "https://me:s3cret@a.example/"', "[webhook] url: no user and password in it"),
        ('[webhook]\nurl_file = "FOLDER/open"', "[webhook] url_file: FOLDER/open: others than its group"),
        ('[webhook]\nurl_file = "FOLDER/token"', "[webhook] url_file: take http://... or https://..."),
        ('[webhook]\nurl_file = "FOLDER/user"', "[webhook] url_file: no user and password in it"),
        ('[journal]\nfile = "FOLDER"', "[journal] file: FOLDER is no file"),
        ('[journal]\nfile = "FOLDER/pipe"', "[journal] file: FOLDER/pipe is no file"),
        ('[journal]\nfile = "FOLDER/linked.db"', "[journal] file: FOLDER/linked.db has a second name"),
        ('[journal]\nfile = "FOLDER/astray.db"', "[journal] file: the folder FOLDER/missing is missing"),
        ('[journal]\nfile = ""\n[webhook]\nurl_file = "FOLDER/address"', "needs [journal] file"),
    ],
)  # fmt: skip
def test_what_would_stop_an_outlet(text: str, problem: str, folder: Path) -> None:
    problems, _ = said(folder, text)
    assert len(problems) == 1, problems
    assert problem.replace("FOLDER", str(folder)) in problems[0]
    assert "s3cret" not in problems[0]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            WEB + 'token_file = "FOLDER/token"',
            "is plain http: token and picture can be read on the way",
        ),
        (LOCAL, ""),
        (MQTT, ""),
        (
            MQTT + 'user = "pi"\npassword_file = "FOLDER/token"',
            "[mqtt] tls: without it everybody on the way can",
        ),
        (MQTT + 'tls = true\nuser = "pi"\npassword_file = "FOLDER/token"', ""),
        ('[mqtt]\nbroker = "localhost"\nuser = "pi"\npassword_file = "FOLDER/token"', ""),
        ('[mqtt]\nbroker = "::1"\nuser = "pi"\npassword_file = "FOLDER/token"', ""),
        (MQTT + 'password_file = "FOLDER/token"', "[mqtt] password_file: is not sent without user"),
        (HOOK, ""),
        ('[webhook]\nurl = "http://127.0.0.1:8000/?s3cret"', ""),
        (
            '[webhook]\nurl = "http://a.example/?s3cret"',
            "[webhook] url: by http everybody on the way can read",
        ),
        ('[webhook]\nurl_file = "FOLDER/address"', ""),
    ],
)
def test_what_weakens_an_outlet(text: str, warning: str, folder: Path) -> None:
    problems, found = said(folder, text)
    assert problems == []
    assert len(found) == bool(warning), found
    assert warning in "".join(found)
    assert "s3cret" not in "".join(found)


@pytest.mark.program("openssl")
def test_certificates_that_are_not_used(folder: Path) -> None:
    certificates(folder, 1)
    assert said(folder, MQTT + 'ca_file = "FOLDER/ca.crt"') == (
        [], ["[mqtt] ca_file: is of no use without tls = true: the connection is not encrypted"]
    )  # fmt: skip
    assert said(folder, MQTT + 'tls = true\nca_file = "FOLDER/ca.crt"') == ([], [])
    _, (warning,) = said(folder, '[webhook]\nurl = "http://a.example/"\nca_file = "FOLDER/ca.crt"')
    assert "and ca_file is of no use: take https" in warning


def test_a_port_that_the_running_service_has_is_no_problem(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f'[web]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"\n'
        assert said(folder, listen) == ([], [])
    with socket.create_server(("", 0)) as taken:
        problems, _ = said(folder, f'[web]\nlisten = "0.0.0.0:{taken.getsockname()[1]}"\n')
        assert "so the page needs a token" in problems[0]


def test_a_weakness_is_said_once_when_the_outlet_opens(folder: Path) -> None:
    said(folder, WEB + 'token_file = "FOLDER/token"')
    lines: list[str] = []
    assembly = OutletAssembly(LoopStats("x"), LatestFrame(), lines.append)
    opener = assembly.openers(load_settings(folder / "config.toml"))["web"]
    for _ in range(2):
        opener.open().close()
    assert len([line for line in lines if "is plain http" in line]) == 1


@pytest.mark.program("openssl")
def test_a_renewed_certificate_opens_the_page_anew_and_a_broken_one_does_not(folder: Path) -> None:
    certificates(folder, 1)
    (folder / "broker.key").chmod(0o600)
    tls = WEB + 'token_file = "FOLDER/token"\ncert_file = "FOLDER/broker.crt"\nkey_file = "FOLDER/broker.key"'
    assert said(folder, tls) == ([], [])
    settings = load_settings(folder / "config.toml")
    assembly = OutletAssembly(LoopStats("x"), LatestFrame(), lambda line: None)
    before = assembly.openers(settings)["web"].key
    assert assembly.openers(settings)["web"].key == before
    (folder / "ca.key").chmod(0o600)
    (folder / "ca.key").replace(folder / "broker.key")
    (problem,) = assembly.problems(settings)
    assert "broker.key: is not the key of " in problem
    certificates(folder, 1)
    (folder / "broker.key").chmod(0o600)
    assert assembly.problems(settings) == []
    assert assembly.openers(settings)["web"].key != before


@pytest.mark.slow
def test_the_command_refuses_or_warns(folder: Path) -> None:
    def check(*what: str) -> tuple[int, str, str]:
        command = [
            sys.executable, "-m", "digitlens", "serve", "--check", *what,
            "--config", str(folder / "config.toml"),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    said(folder, WEB + MQTT + 'user = "pi"\npassword_file = "FOLDER/short"')
    status, out, err = check()
    assert (status, out, err.count("\n")) == (78, "", 1)
    assert err.startswith("digitlens: error: [web] listen: ")
    said(folder, WEB + 'token_file = "FOLDER/token"\n' + MQTT + 'user = "pi"\npassword_file = "FOLDER/short"')
    status, out, err = check()
    assert (status, out, err.count("\n")) == (0, f"{folder / 'config.toml'}: ok\n", 2)
    assert "digitlens: warning: [mqtt] tls: without it" in err
    said(folder, '[webhook]\nurl_file = "FOLDER/a-credential"')
    assert check()[0] == 78
    assert check("settings") == (0, f"{folder / 'config.toml'}: ok\n", "")  # systemd gives it to the service
