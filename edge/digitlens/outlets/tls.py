"""TLS contexts of clients, which verify the server's certificate, and whether a host needs TLS."""

import ipaddress
import ssl
from pathlib import Path

from digitlens.core.errors import OutletError
from digitlens.core.paths import SPECIAL, is_special


def client_context(ca_file: str, setting: str) -> ssl.SSLContext:
    """A context that verifies certificates against those in `ca_file`, or the system's where it is empty.

    Raises:
        OutletError: the file cannot be read, or holds no certificate; the message names the `setting`.
    """
    if is_special(Path(ca_file)):
        raise OutletError(f"{setting}: {ca_file}: {SPECIAL}")
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror if not isinstance(error, ssl.SSLError) else "holds no certificate"
        raise OutletError(f"{setting}: {ca_file}: {why}") from error


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine, as far as the name itself tells."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
