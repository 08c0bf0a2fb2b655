"""The columns in the page: one gzip stream as base64 text, which cannot end a script element or be taken for markup."""

from __future__ import annotations

import base64
import json
import zlib
from itertools import chain
from typing import TYPE_CHECKING

from reports.html.blob import Blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from reports.html.blob import Column

_CHUNK = 3 * 65536  # of three bytes each, so that base64 needs no padding in between


def payload(
    head: Mapping[str, object], tables: Mapping[str, Mapping[str, Column]], spool: BinaryIO
) -> Iterator[str]:
    """Everything the page's script reads, as pieces of base64 text of one gzip stream.

    Inside: the length of the head (4 bytes, lowest first), the head as JSON with `tables` in it, the columns' bytes.
    The same input gives the same text: the gzip head carries no time.

    Args:
        spool: an empty file, open until the last piece; the columns wait in it for the head, which says where each is.
    """
    blob = Blob(spool)
    packed = {
        name: {key: column.pack(blob) for key, column in table.items()} for name, table in tables.items()
    }
    text = json.dumps({**head, "tables": packed}, ensure_ascii=False, separators=(",", ":")).encode(
        errors="replace"
    )
    return _base64(_gzip(chain([len(text).to_bytes(4, "little"), text], blob.pieces())))


def _gzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    # 31: a gzip stream. zlib itself writes no time into its head, which gzip.open would.
    squeeze = zlib.compressobj(level=6, wbits=31)
    for part in parts:
        yield squeeze.compress(part)
    yield squeeze.flush()


def _base64(parts: Iterable[bytes]) -> Iterator[str]:
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= _CHUNK:
            yield base64.b64encode(held[:_CHUNK]).decode()
            del held[:_CHUNK]
    yield base64.b64encode(held).decode()
