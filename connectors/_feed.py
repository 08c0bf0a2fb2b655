"""One public feed asked once: seldom, briefly, and with what is known of it already.

A server that answered within the last hour is not asked again. Whatever goes wrong ends as a sentence in the `Look`,
never as an error: no run fails because of a feed.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from connectors._answers import Answer, Ask, markup
from connectors._body import read_body
from connectors._deadline import DeadlineTransport, within
from connectors._faults import UNSENDABLE, fault_of
from connectors._feed_cache import Cache, Kept
from connectors._feed_document import NotTheFeedError
from connectors._network import proxy_for
from fleet.errors import BadAnswer, SourceError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
T = TypeVar("T")

SELDOM = timedelta(hours=1)
MAX_MB = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Generic[T]):
    """A public address and what comes from there.

    Attributes:
        name: as in the settings.
        title: for messages.
        read: takes the body and the moment of asking; raises `NotTheFeedError`.
        trust: the certificates by which its server is believed; raises `SourceError` where there are none.
    """

    name: str
    title: str
    url: str
    read: Callable[[bytes, datetime], T]
    trust: Callable[[], ssl.SSLContext]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How feeds are asked.

    Attributes:
        now: the wall clock, UTC.
        seconds: a deadline for one whole answer.
        transport: takes the place of the network.
    """

    now: datetime
    user_agent: str
    seconds: float
    cache: Cache
    transport: httpx.BaseTransport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[T]):
    """What came of asking a feed.

    Attributes:
        content: what it says; None where that is not known.
        at: when it said so, or last confirmed it.
        asked: False where it was asked less than an hour ago, and this is what it said then.
        problem: why it is not known, or not as of now; empty where all is well.
    """

    feed: str
    title: str
    content: T | None = None
    at: datetime | None = None
    asked: bool = True
    problem: str = ""


def look(feed: Feed[T], manners: Manners) -> Look[T]:
    """Ask the feed, unless it answered within the last hour."""
    kept = manners.cache.kept(feed.name, feed.url)
    if kept and timedelta(0) <= manners.now - kept.asked_at < SELDOM:
        return _remembered(feed, kept)
    try:
        content, fresh = _asked(feed, kept, manners)
    except SourceError as error:
        return Look(feed=feed.name, title=feed.title, problem=str(error))
    manners.cache.keep(feed.name, fresh)
    return Look(feed=feed.name, title=feed.title, content=content, at=fresh.good_at, problem=fresh.problem)


def _remembered(feed: Feed[T], kept: Kept) -> Look[T]:
    content = None if kept.problem else _content(feed, kept)
    problem = f"{kept.problem} (at {kept.asked_at:%H:%M} UTC, and it is not asked twice within an hour)"
    return Look(
        feed=feed.name,
        title=feed.title,
        content=content,
        at=kept.good_at,
        asked=False,
        problem=problem if kept.problem else "",
    )


def _content(feed: Feed[T], kept: Kept) -> T | None:
    """What is kept, as a newer program reads it; it may think otherwise of the same bytes."""
    if kept.good_at is None:
        return None
    with contextlib.suppress(NotTheFeedError):
        return feed.read(kept.body, kept.good_at)
    return None


def _asked(feed: Feed[T], kept: Kept | None, manners: Manners) -> tuple[T | None, Kept]:
    """What the server says, and what to keep of it; raises `SourceError` where no server answered."""
    known = kept if kept and _content(feed, kept) is not None else None
    ask = Ask(method="GET", url=httpx.URL(feed.url), headers=_conditions(known))
    answer = fetched(ask, feed.trust, manners)
    fields = {"feed": feed.name, "status": answer.status, "bytes": len(answer.body)}
    log.info("feed_answered feed=%(feed)s status=%(status)s bytes=%(bytes)s", fields)
    before = kept or Kept(url=feed.url, asked_at=manners.now)
    if known and answer.status == HTTPStatus.NOT_MODIFIED:
        fresh = replace(known, asked_at=manners.now, good_at=manners.now, problem="")
        return _content(feed, fresh), fresh
    if answer.status != HTTPStatus.OK:
        return None, replace(before, asked_at=manners.now, problem=_trouble(ask, answer))
    try:
        content = feed.read(answer.body, manners.now)
    except NotTheFeedError as error:
        why = "a login page or a firewall stands before it" if markup(answer) else str(error)
        problem = f"{ask.place} answered with what cannot be read: {why}"
        return None, replace(before, asked_at=manners.now, problem=problem)
    return content, Kept(
        url=feed.url,
        asked_at=manners.now,
        good_at=manners.now,
        etag=answer.headers.get("etag", ""),
        last_modified=answer.headers.get("last-modified", ""),
        body=answer.body,
    )


def _conditions(kept: Kept | None) -> dict[str, str]:
    if kept is None:
        return {}
    named = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in named.items() if value}


def fetched(ask: Ask, trust: Callable[[], ssl.SSLContext], manners: Manners) -> Answer:
    """The whole answer, its body read where it is a 200; raises `SourceError` where there is none."""
    # Plain HTTP is for this machine alone, and a context that believes nobody is quickly made.
    believed = trust() if ask.url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    transport = manners.transport or DeadlineTransport(
        verify=believed, proxy=proxy_for(ask.url), limits=httpx.Limits(max_connections=1)
    )
    headers = {"User-Agent": manners.user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"}
    try:
        with (
            httpx.Client(
                transport=transport,
                timeout=manners.seconds,
                headers=headers,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                trust_env=False,
            ) as client,
            within(manners.seconds),
            client.stream("GET", ask.url, headers=ask.headers) as response,
        ):
            body = b""
            if response.status_code == HTTPStatus.OK:
                body = read_body(response, place=ask.place, max_mb=MAX_MB, remedy="this is not the feed")
            return Answer(response.status_code, response.headers, body)
    except httpx.TimeoutException as error:
        raise Unreachable(f"{ask.url.host} gave no whole answer in {manners.seconds:g} s") from error
    except UNSENDABLE:
        raise BadAnswer(f"{ask.url.host} named a version of its answer that cannot be sent back") from None
    except httpx.TransportError as error:
        raise fault_of(error, ask.url.host, manners.seconds)[1] from error


def _trouble(ask: Ask, answer: Answer) -> str:
    if httpx.codes.is_redirect(answer.status) and "location" in answer.headers:
        return f"{ask.place} redirects to another address, which is not followed: correct it in [catalog]"
    return f"{ask.place} answered with {answer.status}"
