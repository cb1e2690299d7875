"""Access to the page: the token's file, the cookie, the rate limit."""

import os
from pathlib import Path

import pytest

from digitlens.core.errors import OutletError
from digitlens.outlets.web.access import (
    FAILURES_EXPIRE,
    FREE_FAILURES,
    MAX_NETWORKS,
    MAX_WAIT,
    Access,
    read_token,
)
from digitlens.outlets.web.sessions import LIFETIME, MAX_SESSIONS, Sessions

TOKEN = "correct-horse-battery"  # noqa: S105


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def access(clock: Clock, lines: list[str]) -> Access:
    return Access(TOKEN, clock=clock, now=clock, say=lines.append)


def test_without_a_token_every_request_is_granted() -> None:
    assert Access("").check("192.0.2.1", None, None) == "granted"
    assert Access("").check_token("192.0.2.1", "", "sign-in") == "wrong"


@pytest.mark.parametrize("presented", ["", "x", TOKEN[:-1], TOKEN + "x", "ü" * 20, "\udcff", TOKEN.upper()])
def test_only_the_token_is_granted(access: Access, presented: str) -> None:
    assert access.check("192.0.2.1", None, None) == "missing"
    assert access.check("192.0.2.1", presented, None) == "wrong"
    assert access.check("192.0.2.1", TOKEN, None) == "granted"


def test_a_session_stands_for_the_token_until_it_expires(
    access: Access, clock: Clock, tmp_path: Path
) -> None:
    cookie = access.sessions.begin()
    assert TOKEN not in cookie
    assert access.check("192.0.2.1", None, cookie) == "granted"
    assert access.check("192.0.2.1", "wrong", cookie) == "granted"
    for presented in ("", "x", cookie[:-1], f"{cookie}x", cookie.swapcase(), "ü", "\udcff"):
        assert access.check("192.0.2.1", None, presented) == "missing"
    clock.now += LIFETIME + 1
    assert access.check("192.0.2.1", None, cookie) == "missing"


def test_sessions_outlive_the_process_and_end_with_the_token_or_by_signing_out(
    clock: Clock, tmp_path: Path
) -> None:
    def started(token: str = TOKEN) -> Sessions:
        return Sessions(token.encode(), tmp_path / "sessions", now=clock)

    first, second = started().begin(), started().begin()
    assert started().is_valid(first)
    assert started().is_valid(second)
    assert not started(TOKEN + "x").is_valid(first)
    one = started()
    one.end(first)
    assert not one.is_valid(first)
    assert not started().is_valid(first)  # in a new process, too
    assert started().is_valid(second)
    kept = tmp_path / "sessions"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not any(word in kept.read_text() for word in (TOKEN, first, second))
    assert not Sessions(TOKEN.encode(), now=clock).is_valid(second)  # without a file none is


def test_sessions_are_limited(tmp_path: Path, clock: Clock) -> None:
    sessions = Sessions(TOKEN.encode(), tmp_path / "sessions", now=clock)
    secrets = [sessions.begin() for _ in range(MAX_SESSIONS + 2)]
    assert [sessions.is_valid(secret) for secret in secrets] == [False] * 2 + [True] * MAX_SESSIONS


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": "b"}', b"\xff\0", b"[" * 100_000, None])
def test_a_file_that_holds_no_sessions_is_begun_anew(tmp_path: Path, content: bytes | None) -> None:
    lines: list[str] = []
    file = tmp_path / "sessions"
    if content is None:
        os.mkfifo(file)
    else:
        file.write_bytes(content)
    secret = Sessions(TOKEN.encode(), file, say=lines.append).begin()
    assert Sessions(TOKEN.encode(), file, say=lines.append).is_valid(secret)
    assert len(lines) == 1
    assert lines[0].startswith(f"web page: {file}: ")
    assert lines[0].endswith("; everybody has to sign in again")


def test_sessions_that_cannot_be_kept_are_valid_now(tmp_path: Path) -> None:
    lines: list[str] = []
    sessions = Sessions(TOKEN.encode(), tmp_path / "none" / "sessions", say=lines.append)
    assert sessions.is_valid(sessions.begin())
    assert "cannot be written: No such file or directory; who has signed in or out is forgotten" in lines[0]


def test_guessers_wait_longer_and_longer(access: Access, clock: Clock, lines: list[str]) -> None:
    for _ in range(FREE_FAILURES - 1):
        assert access.check("192.0.2.1", "wrong", None) == "wrong"
    pauses = []
    for _ in range(9):
        assert access.check("192.0.2.1", "wrong", None) == "wrong"
        pauses.append(access.retry_after("192.0.2.1", "bearer"))
        assert access.check("192.0.2.1", "wrong", None) == "throttled"
        clock.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, MAX_WAIT, MAX_WAIT, MAX_WAIT]
    assert access.check("192.0.2.1", TOKEN, None) == "granted"
    assert access.check("192.0.2.1", "wrong", None) == "wrong"  # a success resets nothing
    assert access.check("192.0.2.1", "wrong", None) == "throttled"
    clock.now += FAILURES_EXPIRE + 1
    assert access.check("192.0.2.1", "wrong", None) == "wrong"
    assert access.check("192.0.2.1", "wrong", None) == "wrong"
    assert not any(TOKEN in line or "wrong-" in line for line in lines)
    assert sum("192.0.2.1" in line for line in lines) == len(lines) == 12


def test_nobody_with_the_right_credentials_waits_for_a_guesser(access: Access) -> None:
    """They may share an address: behind a proxy everybody does."""
    cookie = access.sessions.begin()
    for _ in range(FREE_FAILURES):
        access.check("192.0.2.1", "wrong", None)
        access.check_token("192.0.2.1", "wrong", "sign-in")
    assert access.check("192.0.2.1", "wrong", None) == "throttled"
    assert access.check_token("192.0.2.1", "wrong", "sign-in") == "throttled"
    assert access.check("192.0.2.1", TOKEN, None) == "granted"
    assert access.check("192.0.2.1", None, cookie) == "granted"
    assert access.check_token("192.0.2.1", TOKEN, "sign-in") == "granted"
    assert access.check("192.0.2.2", "wrong", None) == "wrong"  # somebody else's first


def test_a_network_of_ipv6_is_one_guesser(access: Access) -> None:
    for count in range(FREE_FAILURES):
        access.check(f"2001:db8::{count:x}", "wrong", None)
    assert access.check("2001:db8::ffff", "wrong", None) == "throttled"
    assert access.check("2001:db8:0:1::1", "wrong", None) == "wrong"
    for _ in range(FREE_FAILURES):
        access.check("::ffff:192.0.2.7", "wrong", None)
    assert access.check("192.0.2.7", "wrong", None) == "throttled"


def test_the_memory_of_guessers_is_bounded(access: Access) -> None:
    for count in range(3 * MAX_NETWORKS):
        access.check(f"10.{count >> 16}.{count >> 8 & 255}.{count & 255}", "wrong", None)
    assert len(access._failures) == MAX_NETWORKS


def test_the_tokens_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o640)
    assert read_token(str(path), {}) == TOKEN
    assert read_token("", {}) == ""
    (tmp_path / "web-token").write_text("from-systemd-credentials")
    (tmp_path / "web-token").chmod(0o400)
    assert read_token("", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "from-systemd-credentials"
    assert read_token(str(path), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == TOKEN
    assert read_token("", {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}) == ""


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (TOKEN, 0o644, "chmod 640"),
        (TOKEN, 0o660, "chmod 640"),
        ("short", 0o600, "16 to 512"),
        ("", 0o600, "16 to 512"),
        ("x" * 600, 0o600, "16 to 512"),
        (f"{TOKEN}\n{TOKEN}", 0o600, "one line"),
        ("ümlaut-in-a-token-is-no-good", 0o600, "letters, digits and signs"),
        (None, 0o600, "no such file"),
    ],
)
def test_wrong_token_files(tmp_path: Path, content: str | None, mode: int, message: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(OutletError, match=message) as caught:
        read_token(str(path), {})
    assert str(caught.value).startswith(str(path))
    assert TOKEN not in str(caught.value)
    with pytest.raises(OutletError):
        read_token(str(tmp_path), {})
