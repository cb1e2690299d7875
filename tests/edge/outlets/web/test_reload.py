"""The page of a service whose token is replaced."""

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.outlets.web.viewing import LONG, asked, until

pytest.importorskip("tornado", reason="needs the extra web")


@pytest.mark.slow
def test_a_new_token_is_in_force_after_a_reload_and_signing_out_after_a_restart(
    tmp_path: Path, sheet: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token, settings, log = (tmp_path / name for name in ("token", "config.toml", "log"))
    token.write_text("the-first-of-two-tokens")
    token.chmod(0o600)
    settings.write_text(
        f'[camera]\nsource = "{sheet}"\n[journal]\nfile = "{tmp_path}/journal.db"\n'
        f'[web]\nlisten = "127.0.0.1:{port}"\ntoken_file = "{token}"\n'
    )

    def status(**headers: str) -> int:
        try:
            with asked(port, "/page/app.js", **headers) as answer:
                return answer.status
        except (OSError, http.client.HTTPException):
            return 0

    def cookie() -> str:
        body = f"token={token.read_text()}"
        form = "application/x-www-form-urlencoded"
        with asked(port, "/sign-in", "POST", body, Content_Type=form) as answer:
            assert answer.status == 303
            return answer.headers["Set-Cookie"].partition(";")[0]

    def started() -> "subprocess.Popen[str]":
        with log.open("a") as lines:
            command: list[str | Path] = [sys.executable, "-m", "digitlens", "serve", "--config", settings]
            other = subprocess.Popen(command, stderr=lines, text=True)
        until(status)
        return other

    service = started()
    try:
        stale, ended, kept = cookie(), cookie(), cookie()
        with asked(port, "/sign-out", "POST", Cookie=ended) as answer:
            assert answer.status == 303
        service.terminate()
        service.communicate(timeout=LONG)
        service = started()
        assert [status(Cookie=one) for one in (stale, ended, kept)] == [200, 401, 200]
        token.write_text("the-second-of-two-tokens")
        service.send_signal(signal.SIGHUP)
        until(lambda: status(Authorization="Bearer the-second-of-two-tokens") == 200)
        assert status(Authorization="Bearer the-first-of-two-tokens") == 401
        assert [status(Cookie=one) for one in (stale, ended, kept)] == [401] * 3
        assert status(Cookie=cookie()) == 200
        token.chmod(0o644)  # a page that is open is better left open
        service.send_signal(signal.SIGHUP)
        until(lambda: "the settings stay as they were: [web] token_file: " in log.read_text())
        assert status(Authorization="Bearer the-second-of-two-tokens") == 200
    finally:
        service.terminate()
        service.communicate(timeout=LONG)
