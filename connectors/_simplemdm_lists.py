"""SimpleMDM's lists: a hundred rows at a time, each page named by the last row of the one before.

Source: SimpleMDM API reference, "Pagination" and "Assignment Groups", read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from connectors import _rows, _wire
from connectors._pages import by_cursor
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors._http import Answer, Api

CONSOLE = "Settings > API"
READ_GROUPS = "Assignment Groups: read"
LARGEST_PAGE = 100
# Device groups are the older kind; where an account has none left, their list may be gone.
GROUPS = {"groups": "/assignment_groups", "device_groups": "/device_groups"}

Group: TypeAlias = tuple[str, str]
"""A group as rows refer to it: the name of the relationship, and the id, which the two kinds count apart."""


def listed(
    api: Api,
    path: str,
    *,
    permission: str,
    size: int = LARGEST_PAGE,
    read: Callable[[bytes], object] = _rows.anything,
) -> Iterator[list[object]]:
    """Pages of rows of the list at `path`; raises `SourceError` where it breaks off or runs in a circle."""

    def fetch(cursor: str | None) -> _Batch:
        after = [("starting_after", cursor)] if cursor else []
        return api.get(path, decode, params=[("limit", size), *after], permission=permission)

    def decode(answer: Answer) -> _Batch:
        said = read(answer.body)
        return _Batch(
            _rows.rows(_rows.field(said, "data")), _wire.flag(_rows.field(said, "has_more")) is False
        )

    for batch in by_cursor(fetch, _Batch.following, rows=lambda batch: batch.rows):
        yield batch.rows


@dataclass(frozen=True, slots=True)
class _Batch:
    """One page.

    Attributes:
        last: the answer says that no page follows. An answer that does not say so is followed.
    """

    rows: list[object]
    last: bool

    def following(self) -> str | None:
        """The id after which the next page begins; None after the last."""
        if self.last or not self.rows:
            return None
        known = (identity(row) for row in reversed(self.rows))
        cursor = next((native_id for native_id in known if native_id is not None), None)
        if cursor is None:
            raise BadAnswer("SimpleMDM's list goes on after rows without an id: report it to SimpleMDM")
        return cursor


def identity(row: object) -> str | None:
    """The row's `id`, None where there is none to rely on; a number, for some lists text."""
    return _wire.any_id(_rows.field(row, "id"))


def groups_of(row: object) -> Fact[tuple[Group, ...]]:
    """The groups that a row's relationships name, of both kinds; absent where it has no such relationship."""
    relationships = _rows.field(row, "relationships")
    related = {kind: _rows.field(_rows.field(relationships, kind), "data") for kind in GROUPS}
    # A device has one group of the older kind, and its key is singular.
    one = _rows.field(_rows.field(relationships, "device_group"), "data")
    if one is not None:
        related["device_groups"] = [one]
    told = {kind: data for kind, data in related.items() if data is not None}
    try:
        ids = {kind: map(identity, _rows.rows(data)) for kind, data in told.items()}
    except ValueError:
        return UNREADABLE
    groups = tuple((kind, key) for kind, keys in ids.items() for key in keys if key is not None)
    return groups if told else ABSENT


def group_names(api: Api) -> tuple[Mapping[Group, str] | None, tuple[Trouble, ...]]:
    """The name of every group; None with a trouble where they may not or cannot be read."""
    names: dict[Group, str] = {}
    for kind, path in GROUPS.items():
        try:
            for rows in listed(api, path, permission=READ_GROUPS):
                names |= {(kind, key): name for row in rows for key, name in _named(row)}
        except NotFound:
            continue
        except (PermissionMissing, ServerTrouble, BadAnswer):
            why = f'Group names could not be read, so groups is absent: grant "{READ_GROUPS}" ({CONSOLE})'
            return None, (Trouble("groups_unresolved", why),)
    return names, ()


def _named(row: object) -> Iterator[tuple[str, str]]:
    native_id, name = identity(row), _wire.text(_rows.field(_rows.field(row, "attributes"), "name"))
    if native_id is not None and not isinstance(name, Gap):
        yield native_id, name
