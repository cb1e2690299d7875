"""Whose certificates are trusted."""

import ssl

from digitlens.core.errors import OutletError


def trusting(ca_file: str, setting: str) -> ssl.SSLContext:
    """A context that looks at certificates: against a file's, or else the system's.

    Raises:
        OutletError: the file cannot be read, or holds no certificate; it names the `setting`.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        what = error.strerror if not isinstance(error, ssl.SSLError) else "holds no certificate"
        raise OutletError(f"{setting}: {ca_file}: {what}") from error
