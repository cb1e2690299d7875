"""Files of passwords, keys and tokens: what is read, and what is refused."""

import os
from pathlib import Path

import pytest

from digitlens.core.errors import OutletError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.assembly import OutletAssembly
from digitlens.outlets.registry import default_settings
from digitlens.outlets.secrets import MAX_BYTES, read_secret
from digitlens.outlets.tls import client_context
from digitlens.outlets.webhook import WebhookOutlet
from digitlens.outlets.webhook_settings import WebhookSettings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_bytes(b"pa ss\r\n")
    file.chmod(0o640)
    return file


def test_the_end_of_the_line_is_no_part_of_it(path: Path) -> None:
    assert read_secret(path) == "pa ss"


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(OutletError, match=r"others than its group can reach it: chmod 640 .*/secret"):
        read_secret(path)


@pytest.mark.parametrize(
    ("content", "said"), [(b"x" * (MAX_BYTES + 1), "at most 4096 bytes"), (b"\xff\xfe", "is not text")]
)
def test_content_that_is_no_secret_is_refused(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(OutletError, match=said):
        read_secret(path)


def test_a_missing_file_is_reported_with_the_hint(tmp_path: Path) -> None:
    with pytest.raises(OutletError, match="none: cannot be read: No such file"):
        read_secret(tmp_path / "none")
    with pytest.raises(OutletError, match=r"none: no such file; make one > .*/none"):
        read_secret(tmp_path / "none", hint="make one")


def test_a_fifo_without_a_writer_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(OutletError, match="not a file"):
        read_secret(tmp_path / "fifo")
    with pytest.raises(OutletError, match="cannot be read: Is a directory"):
        read_secret(tmp_path)


def test_the_check_before_the_start_waits_for_no_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    why = f"{pipe}{{}}: not a file, but a pipe or a device"
    settings = WebhookSettings(url="https://127.0.0.1/", key_file=str(pipe), ca_file=str(pipe))
    assert WebhookOutlet.preflight(settings) == [
        f"[webhook] {key}: {why.format(' cannot be read')}" for key in ("key_file", "ca_file")
    ]
    with pytest.raises(OutletError) as caught:
        client_context(str(pipe), "webhook.ca_file")
    assert str(caught.value) == f"webhook.ca_file: {why.format('')}"


@pytest.mark.parametrize(
    ("section", "key"),
    [("web", "token_file"), ("webhook", "key_file"), ("webhook", "ca_file"), ("mqtt", "password_file")],
)
def test_a_reload_opens_an_outlet_anew_whose_file_was_replaced(section: str, key: str, path: Path) -> None:
    switches = {
        "web": ("listen", "127.0.0.1:8080"),
        "webhook": ("url", "https://a/"),
        "mqtt": ("broker", "a"),
    }
    on, value = switches[section]
    journal = str(path.with_name("journal.db"))
    settings = default_settings(
        {("journal", "file"): journal, (section, on): value, (section, key): str(path)}
    )
    assembly = OutletAssembly(LoopStats("x"), LatestFrame())
    before = assembly.openers(settings)[section].key
    assert assembly.openers(settings)[section].key == before
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)
    replaced = assembly.openers(settings)[section].key
    assert replaced != before
    path.unlink()
    assert assembly.openers(settings)[section].key not in (before, replaced)
