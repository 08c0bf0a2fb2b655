"""What stands for an identity in links, tickets and the database."""

from __future__ import annotations

import hashlib


def fingerprint(*identity: str) -> str:
    """32 hex digits that stand for an identity for ever.

    >>> fingerprint("serial", "C39X") == fingerprint("serial", "C39X")
    True
    """
    # A lone surrogate that came through all cleaning must not cost a night.
    return hashlib.sha256("\x1f".join(identity).encode(errors="surrogatepass")).hexdigest()[:32]
