"""Walking lists that come in pages, whatever names the next one: a number, an offset, a link, a cursor.

All pagers advance by what arrived, believe a named next page, stop otherwise at an empty page and never at a
short one, and refuse to go in circles.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from fleet.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

_REPEATS = "the list repeats itself: one page came twice in a row; report it to the vendor"
K = TypeVar("K")
P = TypeVar("P")


def by_cursor(
    fetch: Callable[[str | None], P],
    following: Callable[[P], str | None],
    *,
    rows: Callable[[P], Sequence[object]] = lambda _: (),
) -> Iterator[P]:
    """Pages from `fetch(None)` on, each naming the next by `following`.

    None or "" for the next ends the walk, an empty page does not. Raises `BadAnswer` when a cursor comes a
    second time, or the same `rows` twice in a row.
    """
    seen: set[str] = set()
    before: Sequence[object] = ()
    cursor: str | None = None
    while True:
        page = fetch(cursor)
        if rows(page) and rows(page) == before:
            raise BadAnswer(_REPEATS)
        before = rows(page)
        yield page
        cursor = following(page)
        if not cursor:
            return
        if cursor in seen:
            raise BadAnswer(
                "the list runs in a circle: its next page is one that came before; report it to the vendor"
            )
        seen.add(cursor)


def by_link(
    fetch: Callable[[str], P],
    following: Callable[[P], str | None],
    *,
    first: str,
    rows: Callable[[P], Sequence[object]] = lambda _: (),
) -> Iterator[P]:
    """Like `by_cursor`, for links: `first` is the first page's, and coming back to it is a circle too."""

    def beyond_first(page: P) -> str | None:
        link = following(page)
        if link == first:
            raise BadAnswer(
                "the list runs in a circle: its next page is the first one; report it to the vendor"
            )
        return link

    return by_cursor(lambda link: fetch(link or first), beyond_first, rows=rows)


def by_offset(fetch: Callable[[int], P], size: Callable[[P], int]) -> Iterator[P]:
    """Pages by the number of rows before them, until one of `size` 0.

    Raises `BadAnswer` when a page comes twice in a row: a server that ignores the offset would never end.
    """

    def pages() -> Generator[P, None, None]:
        offset = 0
        while True:
            page = fetch(offset)
            yield page
            offset += size(page)

    return _until_empty(pages(), size)


def by_number(
    fetch: Callable[[int], P],
    size: Callable[[P], int],
    *,
    first: int = 0,
    ahead: int = 1,
    last: int | None = None,
) -> Iterator[P]:
    """Pages by number in order, until one of `size` 0; up to `ahead` are fetched at once, by threads.

    Args:
        fetch: gives one page; must allow threads where `ahead` is over 1.
        size: rows in a page.
        first: the number to start from.
        ahead: the most requests in flight, and so the most pages in memory.
        last: the number up to which pages are expected; beyond it they are asked for one by one. None knows
            of no end.

    Raises `BadAnswer` when a page comes twice in a row: a server that ignores the number would never end.
    """

    def pages() -> Generator[P, None, None]:
        if last is None:
            yield from fetched_ahead(fetch, count(first), ahead)
        else:
            yield from fetched_ahead(fetch, range(first, last + 1), ahead)
            yield from map(fetch, count(max(first, last + 1)))

    return _until_empty(pages(), size)


def fetched_ahead(fetch: Callable[[K], P], keys: Iterable[K], ahead: int) -> Generator[P, None, None]:
    """`fetch` of every key, in their order, `ahead` of them at work at once.

    The first error ends it; `MemoryError` where the system gives no more threads. Closing the iterator drops what has
    not begun and waits for nothing.
    """
    threads = ThreadPoolExecutor(ahead, thread_name_prefix="page")
    waiting: deque[Future[P]] = deque()
    try:
        for key in keys:
            waiting.append(_begun(threads, fetch, key))
            if len(waiting) == ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _begun(threads: ThreadPoolExecutor, fetch: Callable[[K], P], key: K) -> Future[P]:
    try:
        return threads.submit(fetch, key)
    except RuntimeError as error:
        raise MemoryError("no more threads") from error


def _until_empty(pages: Generator[P, None, None], size: Callable[[P], int]) -> Iterator[P]:
    before: P | None = None
    # Closed with its consumer, so that no thread goes on fetching for nobody.
    with closing(pages):
        for page in pages:
            if size(page) == 0:
                return
            if page == before:
                raise BadAnswer(_REPEATS)
            yield page
            before = page
