"""What systemd is told, by its notification socket: sd_notify(3), without a dependency."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import CLOCK_MONOTONIC, clock_gettime_ns
from typing import Protocol

PATIENCE = 1.0
"""Seconds that a change of state waits while systemd's queue is full; what else is told is then let go."""


class Notify(Protocol):
    """The service's states, as systemd knows them."""

    watchdog: float
    """Seconds within which `alive` is expected again; 0 if nobody waits for it."""

    def ready(self, status: str) -> None:
        """Started, or reloaded."""

    def status(self, text: str) -> None:
        """The line in `systemctl status`."""

    def alive(self) -> None:
        """Feed the watchdog."""

    def reloading(self) -> None:
        """A reload has begun; it ends with `ready`."""

    def stopping(self) -> None:
        """About to end."""

    def extend(self, seconds: float) -> None:
        """The start may take so many more seconds from now."""

    def allow(self, seconds: float) -> None:
        """From now on, the watchdog is to wait so many seconds."""

    def close(self) -> None:
        """Close the socket."""


class SystemdNotify:
    """Tells systemd; what cannot be told is let go.

    Args:
        address: a socket's path, or its abstract name after an @.
        watchdog: see Notify.
    """

    def __init__(self, address: str, watchdog: float = 0.0) -> None:
        self.watchdog = watchdog
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(PATIENCE)

    def ready(self, status: str) -> None:
        """See Notify."""
        self._tell(f"READY=1\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        """See Notify."""
        self._tell(f"STATUS={_line(text)}", socket.MSG_DONTWAIT)

    def alive(self) -> None:
        """See Notify."""
        self._tell("WATCHDOG=1", socket.MSG_DONTWAIT)

    def reloading(self) -> None:
        """See Notify."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={clock_gettime_ns(CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """See Notify."""
        self._tell("STOPPING=1")

    def extend(self, seconds: float) -> None:
        """See Notify."""
        self._tell(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def allow(self, seconds: float) -> None:
        """See Notify."""
        if self.watchdog:
            self._tell(f"WATCHDOG_USEC={int(seconds * 1e6)}")

    def close(self) -> None:
        """See Notify."""
        self._socket.close()

    def _tell(self, message: str, flags: int = 0) -> None:
        with suppress(OSError):
            self._socket.sendto(message.encode(errors="replace"), flags, self._address)


class NoNotify:
    """No systemd: the same calls do nothing."""

    watchdog = 0.0

    def ready(self, status: str) -> None:
        """Nobody to tell."""

    def status(self, text: str) -> None:
        """Nobody to tell."""

    def alive(self) -> None:
        """Nobody to tell."""

    def reloading(self) -> None:
        """Nobody to tell."""

    def stopping(self) -> None:
        """Nobody to tell."""

    def extend(self, seconds: float) -> None:
        """Nobody to tell."""

    def allow(self, seconds: float) -> None:
        """Nobody to tell."""

    def close(self) -> None:
        """Nothing to close."""


def open_notify(environment: Mapping[str, str]) -> Notify:
    """Whoever the environment says has started us and waits: systemd, or nobody."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or len(address) < 2:
        return NoNotify()
    watchdog = 0.0
    if environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
        with suppress(ValueError):
            watchdog = max(0.0, int(environment.get("WATCHDOG_USEC", "0")) / 1e6)
    return SystemdNotify(address, watchdog)


def _line(text: str) -> str:
    return " ".join(text.split())
