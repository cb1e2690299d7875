"""Who comes in: the token's file, the cookie, the waits."""

from pathlib import Path

import pytest

from digitlens.core.errors import OutletError
from digitlens.outlets.web.access import FORGET, FREE, LIFE, LONGEST, MOST, Access, read_token

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


def test_without_a_token_all_come_in() -> None:
    assert Access("").judge("192.0.2.1", None, None) == "in"
    assert Access("").try_token("192.0.2.1", "", "sign-in") == "wrong"


@pytest.mark.parametrize("shown", ["", "x", TOKEN[:-1], TOKEN + "x", "ü" * 20, "\udcff", TOKEN.upper()])
def test_the_token_alone_comes_in(access: Access, shown: str) -> None:
    assert access.judge("192.0.2.1", None, None) == "unknown"
    assert access.judge("192.0.2.1", shown, None) == "wrong"
    assert access.judge("192.0.2.1", TOKEN, None) == "in"


def test_a_cookie_stands_for_the_token_until_it_expires(access: Access, clock: Clock) -> None:
    cookie = access.cookie()
    assert TOKEN not in cookie
    assert access.judge("192.0.2.1", None, cookie) == "in"
    assert Access(TOKEN, now=clock).judge("192.0.2.1", None, cookie) == "in"  # after a restart
    assert Access(TOKEN + "x", now=clock).judge("192.0.2.1", None, cookie) == "wrong"
    clock.now += LIFE + 1
    assert access.judge("192.0.2.1", None, cookie) == "unknown"


def test_a_cookie_cannot_be_made_to_last_longer(access: Access, clock: Clock) -> None:
    expires, _, mark = access.cookie().partition(".")
    for forged in (
        f"{int(expires) + 1}.{mark}",
        f"{expires}.",
        f".{mark}",
        mark,
        "",
        "x.y",
        f"{expires}.{mark}0",
    ):
        fresh = Access(TOKEN, clock=clock, now=clock)
        assert fresh.judge("192.0.2.1", None, forged) == "wrong", forged


def test_who_guesses_waits_longer_and_longer(access: Access, clock: Clock, lines: list[str]) -> None:
    for _ in range(FREE - 1):
        assert access.judge("192.0.2.1", "wrong", None) == "wrong"
    pauses = []
    for _ in range(9):
        assert access.judge("192.0.2.1", "wrong", None) == "wrong"
        pauses.append(access.wait("192.0.2.1", "bearer"))
        assert access.judge("192.0.2.1", TOKEN, None) == "slow"  # not looked at, so nothing is learnt
        clock.now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST]
    assert access.judge("192.0.2.1", TOKEN, None) == "in"
    assert access.judge("192.0.2.1", "wrong", None) == "wrong"  # and a right one takes none back
    assert access.judge("192.0.2.1", TOKEN, None) == "slow"
    clock.now += FORGET + 1
    assert access.judge("192.0.2.1", "wrong", None) == "wrong"
    assert access.judge("192.0.2.1", TOKEN, None) == "in"
    assert not any(TOKEN in line or "wrong-" in line for line in lines)
    assert sum("192.0.2.1" in line for line in lines) == len(lines) == 12


def test_others_do_not_wait_for_a_guesser(access: Access) -> None:
    for _ in range(FREE):
        access.judge("192.0.2.1", "wrong", None)
    assert access.judge("192.0.2.1", TOKEN, None) == "slow"
    assert access.judge("192.0.2.2", TOKEN, None) == "in"
    assert access.judge("192.0.2.1", None, access.cookie()) == "in"  # a person at the same address
    assert access.try_token("192.0.2.1", TOKEN, "sign-in") == "in"


def test_a_network_of_ipv6_is_one_guesser(access: Access) -> None:
    for count in range(FREE):
        access.judge(f"2001:db8::{count:x}", "wrong", None)
    assert access.judge("2001:db8::ffff", TOKEN, None) == "slow"
    assert access.judge("2001:db8:0:1::1", TOKEN, None) == "in"
    for _ in range(FREE):
        access.judge("::ffff:192.0.2.7", "wrong", None)
    assert access.judge("192.0.2.7", TOKEN, None) == "slow"


def test_the_memory_of_guessers_is_bounded(access: Access) -> None:
    for count in range(3 * MOST):
        access.judge(f"10.{count >> 16}.{count >> 8 & 255}.{count & 255}", "wrong", None)
    assert len(access._tries) == MOST


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
    ("content", "mode", "said"),
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
def test_a_tokens_file_that_is_no_good(tmp_path: Path, content: str | None, mode: int, said: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(OutletError, match=said) as caught:
        read_token(str(path), {})
    assert str(caught.value).startswith(str(path))
    assert TOKEN not in str(caught.value)
    with pytest.raises(OutletError):
        read_token(str(tmp_path), {})
