"""Access to the page: the token's file, the cookie, the rate limit."""

from pathlib import Path

import pytest

from digitlens.core.errors import OutletError
from digitlens.outlets.web.access import (
    FAILURES_EXPIRE,
    FREE_FAILURES,
    MAX_NETWORKS,
    MAX_WAIT,
    SESSION_LIFETIME,
    Access,
    read_token,
)

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


def test_a_cookie_stands_for_the_token_until_it_expires(access: Access, clock: Clock) -> None:
    cookie = access.issue_cookie()
    assert TOKEN not in cookie
    assert access.check("192.0.2.1", None, cookie) == "granted"
    assert Access(TOKEN, now=clock).check("192.0.2.1", None, cookie) == "granted"  # after a restart
    assert Access(TOKEN + "x", now=clock).check("192.0.2.1", None, cookie) == "wrong"
    clock.now += SESSION_LIFETIME + 1
    assert access.check("192.0.2.1", None, cookie) == "missing"


def test_a_cookie_cannot_be_made_to_last_longer(access: Access, clock: Clock) -> None:
    expires, _, signature = access.issue_cookie().partition(".")
    for forged in (
        f"{int(expires) + 1}.{signature}",
        f"{expires}.",
        f".{signature}",
        signature,
        "",
        "x.y",
        f"{expires}.{signature}0",
    ):
        fresh = Access(TOKEN, clock=clock, now=clock)
        assert fresh.check("192.0.2.1", None, forged) == "wrong", forged


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
    cookie = access.issue_cookie()
    for _ in range(FREE_FAILURES):
        access.check("192.0.2.1", "wrong", None)
        access.check("192.0.2.1", None, "wrong")
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
