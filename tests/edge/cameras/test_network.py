"""Cameras in the network: a real Motion JPEG server on loopback, logins, wrong addresses, lost streams."""

import socket
from pathlib import Path

import pytest

from digitlens.cameras.base import CameraOptions
from digitlens.cameras.login import read_login
from digitlens.cameras.network import NetworkDriver
from digitlens.cameras.newest import Newest
from digitlens.core.errors import CameraError
from tests.edge.cameras.streams import serving
from tests.edge.films import LONG

DRIVER = NetworkDriver(timeout=3.0)


def login(folder: Path, text: str = "anna:p@ss:w/rd") -> str:
    path = folder / "login"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def error_of(spec: str, login_file: str = "") -> str:
    with pytest.raises(CameraError) as caught:
        DRIVER.open(spec, CameraOptions(login=login_file))
    assert "\n" not in str(caught.value)
    assert "p@ss" not in str(caught.value)
    return str(caught.value)


def rest(camera: Newest) -> None:
    while True:
        camera.newest(LONG)


def test_frames_until_the_stream_is_cut_and_back_again() -> None:
    with serving() as server:
        assert DRIVER.matches(server.address)
        camera = DRIVER.open(server.address, CameraOptions(rotation=90))
        levels: set[int] = set()
        while len(levels) < 3:
            frame = camera.newest(LONG)
            assert frame.image.shape == (320, 240, 3)
            levels.add(round(int(frame.gray[0, 0]) / 60) * 60)
        assert levels == {60, 120, 180}
        server.cut.set()
        with pytest.raises(CameraError, match=f"{server.address}: gives no more frames"):
            rest(camera)
        camera.close()
        server.cut.clear()
        again = DRIVER.open(server.address, CameraOptions(color=False))
        assert again.newest(LONG).image.ndim == 2
        again.close()


def test_a_login(tmp_path: Path) -> None:
    with serving("anna:p@ss:w/rd") as server:
        camera = DRIVER.open(server.address, CameraOptions(login=login(tmp_path)))
        assert camera.newest(LONG).gray.shape == (240, 320)
        assert camera.name == server.address
        camera.close()
        inside = server.address.replace("http://", "http://anna:p%40ss%3Aw%2Frd@")
        assert "asks for user" in error_of(server.address)
        assert "refuses the user and password in " in error_of(server.address, login(tmp_path, "anna:wrong"))
        camera = DRIVER.open(inside, CameraOptions())
        assert camera.name == server.address
        camera.close()


def test_answers_that_are_no_stream() -> None:
    with serving() as server:
        base = server.address.removesuffix("/stream")
        assert "there is no such stream (404)" in error_of(f"{base}/else")
        assert error_of(f"{base}/page") == f"{base}/page: answers, but gives no video"
        assert "gives no" in error_of(f"{base}/rubbish")
        assert f"127.0.0.1, port {server.server_port}, does not speak rtsp" in error_of(
            f"rtsp{base[4:]}/stream"
        )
    assert "nothing listens at 127.0.0.1" in error_of(f"{base}/stream")


def test_a_server_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        driver = NetworkDriver(timeout=0.2)
        with pytest.raises(CameraError, match=rf"127\.0\.0\.1, port {port}, does not answer within 0 s"):
            driver.open(f"rtsp://127.0.0.1:{port}/stream", CameraOptions())


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("rtsp://", "rtsp://: has no host"),
        ("http://host:99999/x", "is no address"),
        ("rtsp://nowhere.invalid/x", "no such host: nowhere.invalid"),
    ],
)
def test_wrong_addresses(spec: str, why: str) -> None:
    assert DRIVER.matches(spec)
    assert why in error_of(spec)


def test_what_is_no_address() -> None:
    assert not any(
        DRIVER.matches(spec) for spec in ("film.avi", "usb:0", "auto", "http:film.avi", "ftp://host/x")
    )


def test_login_files(tmp_path: Path) -> None:
    assert read_login("") is None
    assert read_login(login(tmp_path, "anna\npa:ss\n")) == ("anna", "pa:ss")
    for text in ("", "anna", ":x", "a\nb\nc", "x" * 9000):
        with pytest.raises(CameraError, match="holds no user and password; write USER:PASSWORD"):
            read_login(login(tmp_path, text))
    (tmp_path / "login").chmod(0o644)
    with pytest.raises(CameraError, match="chmod 640"):
        read_login(str(tmp_path / "login"))
    with pytest.raises(CameraError, match="no such file; write"):
        read_login(str(tmp_path / "none"))
