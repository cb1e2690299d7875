"""[webhook]: the settings of the outlet."""

from typing import Annotated

import msgspec
from msgspec import Meta


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[webhook]: without an address nothing is sent. The key of the signature is read from a file."""

    url: Annotated[
        str, Meta(description="The http or https address that readings are posted to. Empty sends nothing.")
    ] = ""
    url_file: Annotated[
        str,
        Meta(
            description="The file with that address, in the place of url, where it holds a secret; others "
            "must not be able to read it (chmod 640)."
        ),
    ] = ""
    key_file: Annotated[
        str,
        Meta(
            description="The file with the key that signs them (HMAC-SHA256), which others must not be able "
            "to read (chmod 640)."
        ),
    ] = ""
    ca_file: Annotated[
        str,
        Meta(
            description="The file with the certificates that are trusted. Empty trusts those of the system."
        ),
    ] = ""
    timeout: Annotated[
        float, Meta(ge=1, le=300, description="Seconds that the receiver may take for an answer, 1 to 300.")
    ] = 15.0
