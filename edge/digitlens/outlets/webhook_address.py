"""The webhook's address, from [webhook] url or a file; messages never repeat it, for it may be secret."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from digitlens.core.errors import OutletError
from digitlens.outlets.secrets import read_secret
from digitlens.outlets.webhook_settings import WebhookSettings


class Address(NamedTuple):
    """Where readings are posted to; `origin` has no path, which may hold a secret."""

    encrypted: bool
    host: str
    port: int | None
    path: str
    origin: str


def parse(url: str) -> Address:
    """An http or https address.

    Raises:
        ValueError: it is none; without the address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("take http://... or https://...")
    if parts.username is not None:
        raise ValueError("no user and password in it: the receiver knows us by the signature")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or any(sign <= " " or sign == "\x7f" for sign in path):
        raise ValueError("must be written with %XX where it is not plain letters")
    return Address(
        parts.scheme == "https", parts.hostname, parts.port, path, f"{parts.scheme}://{parts.netloc}"
    )


def address(settings: WebhookSettings) -> Address:
    """The address in the settings, or in the file that they name.

    Raises:
        OutletError: the file cannot be read or is no secret's, or there is no address.
    """
    key = "url_file" if settings.url_file else "url"
    try:
        return parse(read_secret(Path(settings.url_file)) if settings.url_file else settings.url)
    except (OutletError, ValueError) as error:
        raise OutletError(f"webhook.{key}: {error}") from error
