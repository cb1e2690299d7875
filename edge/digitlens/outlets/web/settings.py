"""[web]: the settings of the page."""

import ipaddress
from typing import Annotated

import msgspec
from msgspec import Meta

from digitlens.config.values import shown


class WebSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[web]: the page; `listen` empty opens none. The token is read from a file."""

    listen: Annotated[
        str, Meta(description='HOST:PORT of the page, as "127.0.0.1:8080". Empty opens none.')
    ] = ""
    token_file: Annotated[
        str,
        Meta(
            description="The file with the token that every visitor must show, which others must not "
            "be able to read (chmod 640). Any address but the loopback's needs one."
        ),
    ] = ""
    cert_file: Annotated[
        str,
        Meta(
            description="The file with the page's certificate and those between it and the authority (PEM). "
            "With it and key_file the page is encrypted (https); a reload takes renewed ones."
        ),
    ] = ""
    key_file: Annotated[
        str,
        Meta(
            description="The file with the certificate's key, without a passphrase, which others must not be "
            "able to read (chmod 640)."
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description='Addresses or networks of reverse proxies, as ["127.0.0.1"]. What they say of the '
            "client is believed: its address (X-Forwarded-For) and whether it came by https "
            "(X-Forwarded-Proto). Behind one the page needs a token."
        ),
    ] = ()
    rate: Annotated[
        float, Meta(gt=0, le=60, description="Pictures a second that a page receives at most, up to 60.")
    ] = 10.0


def check(settings: WebSettings) -> None:
    """Whether the certificate has its key, and the proxies are addresses.

    Raises:
        ValueError: "KEY: what is wrong".
    """
    if bool(settings.cert_file) != bool(settings.key_file):
        missing = "key_file" if settings.cert_file else "cert_file"
        raise ValueError(f"{missing}: is missing: a certificate and its key go together")
    for one in settings.trusted_proxies:
        try:
            network = ipaddress.ip_network(one)
        except ValueError as error:
            raise ValueError(
                f'trusted_proxies: {shown(one)}: take an address or a network, as "10.0.0.0/8"'
            ) from error
        if not network.prefixlen:
            raise ValueError(f"trusted_proxies: {shown(one)}: everybody could claim any address")
