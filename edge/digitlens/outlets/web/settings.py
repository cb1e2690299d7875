"""[web]: the settings of the page."""

from typing import Annotated

import msgspec
from msgspec import Meta


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
    rate: Annotated[
        float, Meta(gt=0, le=60, description="Pictures a second that a page receives at most, up to 60.")
    ] = 10.0
