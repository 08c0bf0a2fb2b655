"""The four pagers, on lists that live in memory."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from connectors import _pages
from fleet.errors import BadAnswer, ServerTrouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = list(range(23))


def numbered(size: int) -> Callable[[int], list[int]]:
    return lambda number: ROWS[number * size : (number + 1) * size]


@pytest.mark.parametrize("ahead", [1, 2, 5, 40])
@pytest.mark.parametrize("last", [None, 0, 4, 99])
def test_pages_by_number_come_whole_and_in_order(ahead: int, last: int | None) -> None:
    """However many are fetched at once, and whatever end was expected, every row comes once and in order."""
    pages = _pages.by_number(numbered(5), len, ahead=ahead, last=last)
    assert [row for page in pages for row in page] == ROWS


def test_a_short_page_is_not_the_last() -> None:
    """A page that a server cut short costs none of the rows behind it."""
    pages = {0: [1, 2, 3], 1: [4], 2: [5, 6, 7]}
    assert list(_pages.by_number(lambda number: pages.get(number, []), len)) == [[1, 2, 3], [4], [5, 6, 7]]


@pytest.mark.parametrize("granted", [1, 4, 23, 100])
def test_offsets_advance_by_what_arrived(granted: int) -> None:
    """A server that grants fewer rows than were asked for is walked without gaps."""
    pages = _pages.by_offset(lambda offset: ROWS[offset : offset + granted], len)
    assert [row for page in pages for row in page] == ROWS


def one_by_one(fetch: Callable[[int], list[int]]) -> Iterator[list[int]]:
    return _pages.by_number(fetch, len)


def three_ahead(fetch: Callable[[int], list[int]]) -> Iterator[list[int]]:
    return _pages.by_number(fetch, len, ahead=3)


def by_offset(fetch: Callable[[int], list[int]]) -> Iterator[list[int]]:
    return _pages.by_offset(fetch, len)


@pytest.mark.parametrize("walk", [one_by_one, three_ahead, by_offset])
def test_a_server_that_ignores_the_place_is_caught(
    walk: Callable[[Callable[[int], list[int]]], Iterator[list[int]]],
) -> None:
    """The same page again and again ends with an error after a handful of requests."""
    asked: list[int] = []

    def same(place: int) -> list[int]:
        asked.append(place)
        return [1, 2, 3]

    with pytest.raises(BadAnswer, match="repeats itself"):
        list(walk(same))
    assert len(asked) <= 5


def test_a_named_next_page_is_believed() -> None:
    """An empty page in mid-list does not end a walk whose server names a next page."""
    pages: dict[str | None, tuple[list[int], str | None]] = {None: ([1], "b"), "b": ([], "c"), "c": ([2], "")}
    walked = _pages.by_cursor(lambda cursor: pages[cursor], lambda page: page[1])
    assert [page[0] for page in walked] == [[1], [], [2]]


@pytest.mark.parametrize("circle", [{None: "a", "a": "a"}, {None: "a", "a": "b", "b": "c", "c": "a"}])
def test_a_circle_of_cursors_is_caught(circle: dict[str | None, str]) -> None:
    """A cursor that comes again ends the walk, however long the circle is, with no request too many."""
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> str:
        asked.append(cursor)
        return circle[cursor]

    with pytest.raises(BadAnswer, match="circle"):
        list(_pages.by_cursor(fetch, lambda following: following))
    assert asked == list(circle)


def test_links_start_at_the_first() -> None:
    """A walk by links begins at the given one and ends where none is named."""
    links: dict[str, str | None] = {"/p1": "/p2", "/p2": "/p3", "/p3": None}
    asked: list[str] = []

    def fetch(link: str) -> str | None:
        asked.append(link)
        return links[link]

    list(_pages.by_link(fetch, lambda following: following, first="/p1"))
    assert asked == ["/p1", "/p2", "/p3"]


def test_a_link_back_to_the_first_page_is_a_circle() -> None:
    """The first link counts as seen although no page named it."""
    with pytest.raises(BadAnswer, match="circle"):
        list(_pages.by_link(lambda _: "/p1", lambda following: following, first="/p1"))


def test_ahead_keeps_to_its_window() -> None:
    """No more than the window is in flight, and a consumer that stops ends the fetching."""
    lock = threading.Lock()
    all_in = threading.Barrier(4, timeout=20)
    state = {"now": 0, "most": 0, "asked": 0}

    def fetch(number: int) -> list[int]:
        with lock:
            state["now"] += 1
            state["asked"] += 1
            state["most"] = max(state["most"], state["now"])
            wait = state["asked"] <= 4
        if wait:
            all_in.wait()
        with lock:
            state["now"] -= 1
        return [number]

    with closing(_pages.fetched_ahead(fetch, iter(range(1000)), 4)) as pages:
        assert list(islice(pages, 3)) == [[0], [1], [2]]
    assert state["most"] == 4
    assert state["asked"] <= 3 + 4


def test_stopping_waits_for_nobody() -> None:
    """A consumer that stops goes on at once, although a page is still on its way."""
    release, finished = threading.Event(), threading.Event()

    def fetch(number: int) -> list[int]:
        if number:
            release.wait(5)
            finished.set()
        return [number]

    with closing(_pages.fetched_ahead(fetch, range(9), 2)) as pages:
        assert next(pages) == [0]
    assert not finished.is_set()
    release.set()


def test_an_error_ends_the_fetching() -> None:
    """The pages before a failing one still come; those beyond its window are never asked for."""
    asked: list[int] = []

    def fetch(number: int) -> list[int]:
        asked.append(number)
        if number == 3:
            raise ServerTrouble("broken", status=500)
        return [number]

    pages = _pages.by_number(fetch, len, ahead=2, last=500)
    assert list(islice(pages, 3)) == [[0], [1], [2]]
    with pytest.raises(ServerTrouble):
        next(pages)
    assert max(asked) <= 5


def test_rows_that_come_twice_in_a_row_end_a_walk_by_cursor() -> None:
    """A server that names ever new pages and gives the same rows is caught; empty pages may repeat."""
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> list[int]:
        asked.append(cursor)
        return [] if len(asked) < 4 else [7]

    def walked() -> list[list[int]]:
        return list(_pages.by_cursor(fetch, lambda _: f"page {len(asked)}", rows=lambda page: page))

    with pytest.raises(BadAnswer, match="repeats itself"):
        walked()
    assert len(asked) == 5
