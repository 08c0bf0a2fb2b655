"""A JSON Web Token signed by a key of one's own, as vendors take it in place of a secret (RFC 7515, RFC 7523)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def signed(head: Mapping[str, object], claims: Mapping[str, object], sign: Callable[[bytes], bytes]) -> str:
    """The token of `claims`; `sign` gives the signature in the form that the algorithm in `head` has there."""
    said = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
    return f"{said}.{base64url(sign(said.encode()))}"


def base64url(data: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
