"""The body of an answer, inflated piece by piece and never longer than its source may send."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, cast

import httpx

from fleet.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_INFLATE_STEP = 1 << 20


def read_body(
    response: httpx.Response,
    *,
    place: str,
    max_mb: float,
    remedy: str = "lower page_size or raise max_body_mb",
) -> bytes:
    """The whole body; raises `BadAnswer` beyond `max_mb` decimal MB, `httpx.ReadError` where it is damaged."""
    kept: list[bytes] = []
    room = max_mb * 1e6
    for part in _decoded(response, place):
        room -= len(part)
        if room < 0:
            kept.clear()  # whoever keeps the error keeps this frame
            raise BadAnswer(f"{place} answered with more than {max_mb:g} MB; {remedy}")
        kept.append(part)
    return b"".join(kept)


def _decoded(response: httpx.Response, place: str) -> Iterable[bytes]:
    # The raw stream: httpx would inflate without limit, a thousandfold for a body made to do so.
    parts = cast("Iterable[bytes]", response.stream)
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"gzip", "x-gzip"}:
        return _inflated(parts)
    if coding not in {"", "identity"}:
        raise BadAnswer(f"{place} answered in an encoding that was not asked for")
    return parts


def _inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        for part in parts:
            rest = part
            while rest:
                yield inflate.decompress(rest, _INFLATE_STEP)
                rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                if inflate.eof and rest:
                    inflate = zlib.decompressobj(wbits=31)
        yield inflate.flush()
    except zlib.error:
        raise httpx.ReadError("the compressed body is damaged") from None
    if not inflate.eof:
        raise httpx.ReadError("the compressed body broke off")
