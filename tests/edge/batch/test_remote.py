"""Files of other machines: an HTTP server that misbehaves, and S3 by moto's server on loopback."""

import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from digitlens.batch import remote
from digitlens.batch.remote import Patience
from digitlens.batch.sources import Failure, Item, items
from digitlens.core.errors import DependencyError, PictureError
from tests.edge.batch.test_sources import zipped

IMPATIENT = Patience(connect=2.0, silence=0.3, total=1.0, pauses=(0.0, 0.0))


class Handler(BaseHTTPRequestHandler):
    """/STATUS answers so; /stalls, /drips, /breaks and /passes misbehave; others have a thousand bytes."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        name = self.path[1:]
        self.server.asked[name] += 1
        if name.isdigit() or (name == "passes" and self.server.asked[name] < 3):
            self.send_response(int(name) if name.isdigit() else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)
        self.wfile.flush()
        if name == "stalls":
            self.server.ended.wait(20)
        elif name == "drips":
            while not self.server.ended.wait(0.1):
                self.wfile.write(b"x")
        elif name == "breaks":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(b"x" * 990)
            return
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.ended = Counter[str](), threading.Event()

    def handle_error(self, *_: object) -> None:
        """The other end has hung up, as it should."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("aiohttp")
    one = Server()
    thread = threading.Thread(target=one.serve_forever, args=(0.05,))
    thread.start()
    yield one
    one.ended.set()
    one.shutdown()
    thread.join()
    one.server_close()


@pytest.mark.parametrize(
    ("name", "message", "tries"),
    [
        ("403", "403, forbidden", 1),
        ("404", "no such file", 1),
        ("500", "500, Internal Server Error (3 tries)", 3),
        ("429", "429, Too Many Requests (3 tries)", 3),
        ("stalls", "it does not answer, or has stalled (3 tries)", 3),
        ("drips", "it does not answer, or has stalled (3 tries)", 3),
        ("breaks", "it has broken off (3 tries)", 3),
    ],
)
def test_a_server_that_misbehaves_is_one_line(server: Server, name: str, message: str, tries: int) -> None:
    with pytest.raises(PictureError) as raised:
        remote.fetched(f"http://127.0.0.1:{server.server_port}/{name}", 5000, IMPATIENT)
    assert (str(raised.value), server.asked[name]) == (message, tries)


def test_a_server_that_recovers_is_read(server: Server) -> None:
    address = f"http://127.0.0.1:{server.server_port}/passes"
    assert len(remote.fetched(address, 5000, IMPATIENT)) == 1000
    with pytest.raises(PictureError, match="larger than 0 MB: download it"):
        remote.fetched(address, 999, IMPATIENT)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("rtsp://camera/x", "rtsp is not a kind of address that is read (http, https, s3)"),
        ("http://me:word@host/x", "an address with a password would stand in every table: download it"),
    ],
)
def test_an_address_that_is_refused(address: str, message: str) -> None:
    (item,) = items([address])
    assert isinstance(item, Item)
    with pytest.raises(PictureError) as raised:
        item.read()
    assert str(raised.value) == f"{address}: {message}"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(DependencyError, match=r"^s3://b/x: s3 needs fsspec: pip install 'digitlens"):
        Item("x", "s3://b/x").read()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A bucket of moto's, with pictures, an archive and other files in it."""
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"), ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "y"), ("AWS_DEFAULT_REGION", "us-east-1"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="scans")
    for key in ("a/1.png", "a/2.png", "b/3.tif", "b/notes.txt"):
        client.put_object(Bucket="scans", Key=key, Body=key.encode())
    archive = zipped(tmp_path / "z.zip", [("in.png", b"inner")])
    client.put_object(Bucket="scans", Key="z.zip", Body=archive.read_bytes())
    client.close()
    yield "s3://scans"
    server.stop()


@pytest.mark.slow
def test_a_bucket_is_listed_page_by_page_and_read(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LISTED", 2)
    found = list(items([bucket, f"{bucket}/a/*2.png", f"{bucket}/none.png", "s3://no-bucket/"]))
    read = {}
    for one in found:
        try:
            read[one.id] = one.reason if isinstance(one, Failure) else one.read().decode()
        except PictureError as error:
            read[one.id] = str(error)
    assert read == {
        f"{bucket}/a/1.png": "a/1.png",
        f"{bucket}/a/2.png": "a/2.png",
        f"{bucket}/b/3.tif": "b/3.tif",
        f"{bucket}/z.zip/in.png": "inner",
        f"{bucket}/a/2.png#2": "a/2.png",
        f"{bucket}/none.png": f"{bucket}/none.png: no such file",
        "s3://no-bucket/": "no such file",
    }
