"""Notifications to systemd through its socket: sd_notify(3), without a dependency."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import CLOCK_MONOTONIC, clock_gettime_ns
from typing import Protocol

SEND_TIMEOUT = 1.0
"""Time that a change of state waits while systemd's queue is full, seconds; other messages are dropped."""


class Notify(Protocol):
    """Sends the service's state to its supervisor."""

    watchdog: float
    """Time within which `alive` is expected again, seconds; 0 without a watchdog."""

    def ready(self, status: str) -> None:
        """Started, or reloaded."""

    def status(self, text: str) -> None:
        """The line in `systemctl status`."""

    def alive(self) -> None:
        """Ping the watchdog."""

    def reloading(self) -> None:
        """A reload has begun; it ends with `ready`."""

    def stopping(self) -> None:
        """The service is about to end."""

    def extend(self, seconds: float) -> None:
        """Let the start take this many more seconds from now."""

    def set_watchdog(self, seconds: float) -> None:
        """Let the watchdog wait this many seconds from now on."""

    def close(self) -> None:
        """Close the socket."""


class SystemdNotify:
    """Sends to systemd; a message that cannot be sent is dropped.

    Args:
        address: a socket's path, or its abstract name after an @.
        watchdog: see Notify.
    """

    def __init__(self, address: str, watchdog: float = 0.0) -> None:
        self.watchdog = watchdog
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(SEND_TIMEOUT)

    def ready(self, status: str) -> None:
        """See Notify."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        """See Notify."""
        self._send(f"STATUS={_line(text)}", socket.MSG_DONTWAIT)

    def alive(self) -> None:
        """See Notify."""
        self._send("WATCHDOG=1", socket.MSG_DONTWAIT)

    def reloading(self) -> None:
        """See Notify."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={clock_gettime_ns(CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """See Notify."""
        self._send("STOPPING=1")

    def extend(self, seconds: float) -> None:
        """See Notify."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def set_watchdog(self, seconds: float) -> None:
        """See Notify."""
        if self.watchdog:
            self._send(f"WATCHDOG_USEC={int(seconds * 1e6)}")

    def close(self) -> None:
        """See Notify."""
        self._socket.close()

    def _send(self, message: str, flags: int = 0) -> None:
        with suppress(OSError):
            self._socket.sendto(message.encode(errors="replace"), flags, self._address)


class NoNotify:
    """No systemd: the same calls do nothing."""

    watchdog = 0.0

    def ready(self, status: str) -> None:
        """No supervisor."""

    def status(self, text: str) -> None:
        """No supervisor."""

    def alive(self) -> None:
        """No supervisor."""

    def reloading(self) -> None:
        """No supervisor."""

    def stopping(self) -> None:
        """No supervisor."""

    def extend(self, seconds: float) -> None:
        """No supervisor."""

    def set_watchdog(self, seconds: float) -> None:
        """No supervisor."""

    def close(self) -> None:
        """Nothing to close."""


def open_notify(environment: Mapping[str, str]) -> Notify:
    """The supervisor that the environment names: systemd, or none."""
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
