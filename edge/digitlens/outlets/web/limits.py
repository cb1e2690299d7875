"""How much of the server one client may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerLimits:
    """Limits of connections, sizes and times; the defaults are set by hand for a Pi with 512 MB."""

    connections: int = 128
    """HTTP connections that may be open at once, WebSocket clients not counted."""
    websocket_clients: int = 32
    """WebSocket clients that may be connected at once; as many event streams may be open besides."""
    searches: int = 16
    """Searches of the history that may wait or run at once; more are answered 503."""
    header_bytes: int = 8192
    """Size of a request line with its headers, bytes. Larger ones are answered 431; beyond eight times this
    size the connection is closed without an answer."""
    body_bytes: int = 4096
    """Size of a request's body, bytes."""
    send_buffer_bytes: int = 1 << 18
    """Kernel send buffer of a connection, bytes: what waits there for a slow reader is the Pi's memory."""
    receive_timeout: float = 10.0
    """Time in which all of a request's headers, and then its body, must arrive, seconds."""
    request_timeout: float = 30.0
    """Time from a request's headers to the end of its answer, seconds."""
    stream_timeout: float = 3600.0
    """Time that an event stream or a download may last, seconds; clients reconnect."""
    write_timeout: float = 20.0
    """Time for which a client may leave sent data unread before it is disconnected, seconds."""
