"""HOST:PORT -> listening sockets, the host names that requests to them may use, and clients' networks."""

import errno
import ipaddress
import socket

from digitlens.core.errors import OutletError

BACKLOG = 128
"""Connections that the kernel queues before they are accepted."""


def split(listen: str) -> tuple[str, int]:
    """HOST:PORT -> host without brackets, port.

    Raises:
        OutletError: it is something else.
    """
    host, colon, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare) != (bare != host) or not port.isdecimal() or int(port) > 65535:
        raise OutletError(f"{listen}: take HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080")
    return bare, int(port)


def bind(listen: str) -> list[socket.socket]:
    """Listening sockets, one for each address of the host.

    Raises:
        OutletError: it is no HOST:PORT, or an address is not available.
    """
    host, port = split(listen)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            if sockets and address[1] == 0:  # all addresses get the port that the first one was given
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind(address)
            one.listen(BACKLOG)
    except OSError as error:
        for one in sockets:
            one.close()
        raise OutletError(f"{listen}: {_reason(error)}") from error
    return sockets


def allowed_hosts(host: str) -> frozenset[str]:
    """Names in a Host header that reach a server on this address from this machine.

    Any other name is refused: a foreign site may have pointed it here (DNS rebinding).
    """
    name = host.lower()
    return frozenset({"localhost", "127.0.0.1", "[::1]", name, f"[{name}]"})


def network(address: str) -> str:
    """The network that one client controls: an IPv4 address, or an IPv6 /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"there is no such host: {error.strerror}"
    reasons = {
        errno.EACCES: "ports below 1024 are root's: take one above",
        errno.EADDRINUSE: "the port is taken: another program listens there; end it, or take another port",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))
