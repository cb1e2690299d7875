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


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling", "hard link", "link to ours"])
def test_of_what_is_there_only_our_own_is_replaced(tmp_path: Path, suffix: str, kind: str) -> None:
    path, other = tmp_path / f"sheet{suffix}", tmp_path / f"other{suffix}"
    page = np.full((40, 60), 200, np.uint8)
    pictures.save(path, page)
    pictures.save(path, page[:20])  # our own
    (again,) = pictures.load(path)
    assert again.size == (60, 20)
    path.rename(other)
    if kind == "file":
        path.write_bytes(b"\x89PNG precious")
    elif kind == "hard link":
        path.hardlink_to(other)
    else:
        path.symlink_to(other)
    if kind == "dangling":
        other.unlink()
    elif kind == "link":
        other.write_bytes(b"precious")
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(PictureError, match=rf"sheet\{suffix}: is there already, and not ours"):
        pictures.save(path, page)
    assert (path.read_bytes() if path.exists() else None) == before
    assert other.exists() == (kind != "dangling")


def test_a_picture_that_cannot_be_encoded_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"sheet\.xyz: cannot be written: unknown file extension"):
        pictures.save(tmp_path / "sheet.xyz", np.zeros((4, 4), np.uint8))
    assert list(tmp_path.iterdir()) == []
