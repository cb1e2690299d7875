"""TLS contexts, of clients and of the page, and whether a host needs TLS."""

import ipaddress
import ssl
from pathlib import Path

from digitlens.core.errors import OutletError
from digitlens.core.paths import SPECIAL, is_special
from digitlens.outlets.secrets import read_secret

MAX_KEY_BYTES = 65536
"""Size of a key's file, at most, bytes."""


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


def server_context(cert_file: str, key_file: str) -> ssl.SSLContext:
    """A context of the page's, TLS 1.2 or later.

    Raises:
        OutletError: a file cannot be read, others can read the key, or the two do not fit; "KEY: why".
    """
    if is_special(Path(cert_file)):
        raise OutletError(f"cert_file: {cert_file}: {SPECIAL}")
    try:
        with Path(cert_file).open("rb") as file:
            file.read(1)
    except OSError as error:
        raise OutletError(f"cert_file: {cert_file}: cannot be read: {error.strerror}") from error
    try:
        read_secret(Path(key_file), most=MAX_KEY_BYTES)
    except OutletError as error:
        raise OutletError(f"key_file: {error}") from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    asked = False

    def passphrase() -> str:  # else OpenSSL would ask the terminal for it
        nonlocal asked
        asked = True
        return ""

    try:
        context.load_cert_chain(cert_file, key_file, passphrase)
    except (OSError, ValueError) as error:
        if asked:
            why = "has a passphrase: take the key without one"
        elif "KEY_VALUES_MISMATCH" in str(error):
            why = f"is not the key of {cert_file}"
        else:
            why = f"and cert_file {cert_file} are no certificate and key in PEM"
        raise OutletError(f"key_file: {key_file}: {why}") from error
    return context


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine, as far as the name itself tells."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
