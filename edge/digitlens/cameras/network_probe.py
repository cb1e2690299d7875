"""Asks a network camera for its stream's status, for FFmpeg says only that a stream does not open."""

import base64
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult

from digitlens.cameras.login import Login
from digitlens.core.errors import CameraError, first_line

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""Schemes of addresses that are streams, and their usual ports."""
UNAUTHORIZED = 401, 403
MISSING = 404, 454
MOST_BYTES = 4096
"""Answers are read as far as this, in bytes."""


def ask(address: SplitResult, login: Login | None, timeout: float) -> int:
    """The status of the address: RTSP's answer to DESCRIBE, which takes no login here, or HTTP's to GET.

    Args:
        address: with a host and one of PORTS.
        login: of HTTP's Basic authentication.
        timeout: of connecting and of the answer, seconds.

    Raises:
        CameraError: nothing answers there, or not in this protocol; without the address.
    """
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    try:
        if address.scheme in ("http", "https"):
            return _http(address, host, port, login, timeout)
        with socket.create_connection((host, port), timeout) as plain:
            if address.scheme == "rtsps":
                context = ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=host) as secured:
                    return _describe(secured, address, host, port)
            return _describe(plain, address, host, port)
    except socket.gaierror as error:
        raise CameraError(f"no such host: {host}") from error
    except ConnectionRefusedError as error:
        raise CameraError(f"nothing listens at {host}, port {port}") from error
    except TimeoutError as error:
        raise CameraError(f"{host}, port {port}, does not answer within {timeout:.0f} s") from error
    except (HTTPException, ValueError) as error:
        raise CameraError(f"{host}, port {port}, does not speak {address.scheme}") from error
    except OSError as error:
        raise CameraError(f"{host}, port {port}: {error.strerror or first_line(error)}") from error


def _http(address: SplitResult, host: str, port: int, login: Login | None, timeout: float) -> int:
    headers = {}
    if login is not None:
        token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(host, port, timeout=timeout)
    try:
        connection.request("GET", _path(address), headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _describe(connection: socket.socket, address: SplitResult, host: str, port: int) -> int:
    at = f"[{host}]" if ":" in host else host
    url = f"{address.scheme}://{at}:{port}{_path(address)}"
    connection.sendall(f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode())
    answer = b""
    while b"\r\n" not in answer and len(answer) < MOST_BYTES:
        part = connection.recv(MOST_BYTES)
        if not part:
            break
        answer += part
    version, _, rest = answer.partition(b" ")
    if not version.startswith(b"RTSP/"):
        raise ValueError(version)
    return int(rest[:3])


def _path(address: SplitResult) -> str:
    path = address.path or "/"
    return f"{path}?{address.query}" if address.query else path
