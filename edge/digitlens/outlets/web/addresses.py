"""HOST:PORT -> listening sockets, the host names that requests to them may use, and clients' networks."""

import errno
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

from digitlens.core.errors import OutletError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
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


def resolve(listen: str) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    """The host's addresses with their families.

    Raises:
        OutletError: it is no HOST:PORT, or there is no such host.
    """
    host, port = split(listen)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise OutletError(f"{listen}: {_reason(error)}") from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def reachable_by_others(listen: str) -> bool:
    """Whether not only this machine can reach the address.

    Raises:
        OutletError: see resolve.
    """
    return not all(ipaddress.ip_address(address[0]).is_loopback for _, address in resolve(listen))


def bind(listen: str, backlog: int = BACKLOG) -> list[socket.socket]:
    """Listening sockets, one for each address of the host; with a backlog of 0 they are bound alone.

    Raises:
        OutletError: see resolve; or an address is not available, and the OSError is its cause.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in resolve(listen):
            if sockets and address[1] == 0:  # all addresses get the port that the first one was given
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            one = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind(address)
            if backlog:
                one.listen(backlog)
    except OSError as error:
        for one in sockets:
            one.close()
        if isinstance(error, OutletError):
            raise
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


def is_trusted(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether a connection comes from one of the proxies."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return any(address in one for one in proxies)


def client(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The client's address: the peer's, or what the proxies that are trusted say.

    Args:
        peer: where the connection comes from.
        forwarded: the header X-Forwarded-For. Each proxy appends the address that it was called from, so
            that it is read from its end: what stands before the first address that is no proxy's is the
            client's own word.
        proxies: those that are trusted.
    """
    address = peer
    for one in reversed(forwarded.split(",")):
        if not is_trusted(address, proxies):
            break
        bare = one.strip().removeprefix("[").partition("]")[0]
        try:
            address = str(ipaddress.ip_address(bare.partition("%")[0]))
        except ValueError:
            break
    return address


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"there is no such host: {error.strerror}"
    reasons = {
        errno.EACCES: "ports below 1024 are root's: take one above",
        errno.EADDRINUSE: "the port is taken: another program listens there; end it, or take another port",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))
