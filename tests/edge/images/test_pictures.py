"""Video files that are none: names that look like addresses, and lists of other files."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens.core.errors import PictureError
from digitlens.images import pictures


class Listener(http.server.ThreadingHTTPServer):
    """Answers every request with 404, and keeps its path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        self.asked: list[object] = []

    def finish_request(self, request: object, client_address: object) -> None:
        """Note that somebody has connected, and hang up."""
        self.asked.append(client_address)


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    thread = threading.Thread(target=one.serve_forever, args=(0.05,))
    thread.start()
    yield one
    one.shutdown()
    thread.join()
    one.server_close()


def test_a_name_that_is_an_address_is_a_file(
    tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.server_address[1]
    monkeypatch.chdir(tmp_path)
    for name in (f"http:127.0.0.1:{port}?x.m3u8.avi", f"tcp:127.0.0.1:{port}?x.mkv"):
        path = Path(name)
        path.write_bytes(b"\x1aE\xdf\xa3" + b"\0" * 100)
        with pytest.raises(PictureError, match="not a video that OpenCV can decode"):
            list(pictures.load(path))
        assert pictures.rate(path) == 0
    assert listener.asked == []


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4"])
def test_a_playlist_is_no_video(tmp_path: Path, listener: Listener, suffix: str) -> None:
    film = tmp_path / "film.mp4"
    video = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for _ in range(3):
        video.write(np.zeros((48, 64, 3), np.uint8))
    video.release()
    port = listener.server_address[1]
    assert len(list(pictures.load(film))) == 3
    for text in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/x.ts\n",
        f"ffconcat version 1.0\nfile '{film}'\n",
    ):
        path = tmp_path / f"list{suffix}"
        path.write_text(text)
        with pytest.raises(PictureError, match=r"list\.\w+: not a video \("):
            list(pictures.load(path))
        assert pictures.rate(path) == 0
    assert listener.asked == []
