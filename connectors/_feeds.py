"""Apple's public feeds, asked side by side while something else goes on, and never waited for long."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from connectors import _feed_gdmf, _feed_sofa, _feed_status
from connectors._answers import Ask
from connectors._feed import Feed, Look, Manners, fetched, look
from connectors._feed_root import HOST, ROOT_URL, apple_context, public_context
from fleet.errors import BadAnswer, SourceError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection
    from pathlib import Path

log = logging.getLogger(__name__)

SECONDS = 8.0
"""How long a feed may take for its whole answer; what a machine without the internet waits at most."""
TITLES = {
    _feed_sofa.NAME: "macadmins/sofa",
    _feed_gdmf.NAME: "Apple's software lookup",
    _feed_status.NAME: "Apple's System Status",
}


class Addresses(Protocol):
    """Where the feeds are, as `[catalog]` in the settings has it."""

    @property
    def feeds(self) -> Collection[str]:
        """The names of those that are asked."""
        ...

    @property
    def sofa_url(self) -> str: ...
    @property
    def gdmf_url(self) -> str: ...
    @property
    def status_url(self) -> str: ...

    @property
    def verify(self) -> bool | Path:
        """A CA bundle for all of them."""
        ...

    @property
    def apple_root(self) -> Path | None:
        """Apple Root CA in a file."""
        ...


def feeds_of(addresses: Addresses, manners: Manners) -> list[Feed[Any]]:
    """The feeds that are to be asked, in the order in which they are told of."""
    bundle = None if isinstance(addresses.verify, bool) else addresses.verify
    public = partial(public_context, bundle)
    pinned = partial(_pinned, addresses.apple_root, bundle, manners)
    gdmf_trust = pinned if httpx.URL(addresses.gdmf_url).host == HOST else public
    every: list[Feed[Any]] = [
        _feed(_feed_sofa.NAME, addresses.sofa_url, _feed_sofa.read, public),
        _feed(_feed_gdmf.NAME, addresses.gdmf_url, _feed_gdmf.read, gdmf_trust),
        _feed(_feed_status.NAME, addresses.status_url, _feed_status.read, public),
    ]
    return [feed for feed in every if feed.name in addresses.feeds]


def _feed(name: str, url: str, read: Callable[..., Any], trust: Callable[[], ssl.SSLContext]) -> Feed[Any]:
    return Feed(name=name, title=TITLES[name], url=url, read=read, trust=trust)


def _pinned(apple_root: Path | None, bundle: Path | None, manners: Manners) -> ssl.SSLContext:
    """Apple's root, and beside it the bundle of a network that looks into TLS."""
    download = partial(_root, partial(public_context, bundle), manners)
    try:
        context = apple_context(apple_root, manners.cache, download)
    except SourceError:
        if bundle is None:
            raise
        return public_context(bundle)
    if bundle is not None:
        with contextlib.suppress(OSError):
            context.load_verify_locations(cafile=bundle)
    return context


def _root(trust: Callable[[], ssl.SSLContext], manners: Manners) -> bytes:
    ask = Ask(method="GET", url=httpx.URL(ROOT_URL), headers={})
    answer = fetched(ask, trust, manners)
    if answer.status != HTTPStatus.OK:
        raise BadAnswer(f"{ask.place} answered with {answer.status}")
    return answer.body


class Errand:
    """Feeds that are being asked, each in a thread of its own that ends with the program."""

    def __init__(self, feeds: list[Feed[Any]], manners: Manners, clock: Callable[[], float]) -> None:
        self._feeds = feeds
        self._clock = clock
        self._ends = clock() + manners.seconds
        self._looks: queue.SimpleQueue[Look[Any]] = queue.SimpleQueue()
        self._seconds = manners.seconds
        for feed in feeds:
            threading.Thread(
                target=self._go, args=(feed, manners), name=f"feed {feed.name}", daemon=True
            ).start()

    def _go(self, feed: Feed[Any], manners: Manners) -> None:
        found: Look[Any]
        try:
            found = look(feed, manners)
        except Exception as error:  # one feed's strangeness must not cost the night
            log.exception("feed_broke feed=%s", feed.name)
            found = Look(
                feed=feed.name,
                title=feed.title,
                problem=f"asking it broke on a bug of ours ({type(error).__name__}); please report it",
            )
        self._looks.put(found)

    def looks(self) -> list[Look[Any]]:
        """What came of each feed, in their order; waits until all have answered, or for what is left of their time."""
        found: dict[str, Look[Any]] = {}
        with contextlib.suppress(queue.Empty):
            while len(found) < len(self._feeds):
                one = self._looks.get(timeout=max(self._ends - self._clock(), 0))
                found[one.feed] = one
        return [found.get(feed.name) or self._late(feed) for feed in self._feeds]

    def _late(self, feed: Feed[Any]) -> Look[Any]:
        host = httpx.URL(feed.url).host
        return Look(
            feed=feed.name, title=feed.title, problem=f"{host} gave no whole answer in {self._seconds:g} s"
        )
