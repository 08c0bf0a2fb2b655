"""Asking Hexnode for one device's own page: storage, supervision and lost mode stand nowhere else.

Hexnode allows 30 requests a minute, and ten a day for every device that the account has (Hexnode staff in its
forum, March 2026, read 2026-11-22). One page per device and night keeps to a tenth of that day's share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows
from connectors._hexnode_lists import DEVICES, identity
from connectors._hexnode_record import worth_asking
from fleet.errors import BadAnswer, NotFound, ServerTrouble, SourceError
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors._http import Answer, Api

SECONDS_APART = 2
_HOPELESS = 5
_LACKING = "so storage, supervision, lost mode and battery are absent"


@dataclass(slots=True)
class Details:
    """Asks for one page after the other, until that is in vain or the time is spent; threads may share it.

    Attributes:
        now: monotonic seconds.
        until: the moment after which no more pages are asked for.
        failed: devices whose page could not be read.
        left_out: devices that were not asked about.
        obstacle: why no more pages are asked for.
    """

    api: Api
    now: Callable[[], float]
    until: float
    failed: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])
    obstacle: str | None = None

    def of(self, row: object) -> object:
        """The page of the device in that row of the list; None where it is not wanted or cannot be had."""
        native_id = identity(row)
        if native_id is None or not worth_asking(row):
            return None
        if self.obstacle is not None or self.now() >= self.until:
            self.left_out.append(native_id)
            return None
        return self._asked(native_id)

    def _asked(self, native_id: str) -> object:
        try:
            return page_of(self.api, native_id)
        except NotFound:
            # Removed since it was listed.
            return None
        except (ServerTrouble, BadAnswer) as error:
            self.failed.append(native_id)
            if len(self.failed) >= _HOPELESS:
                self.obstacle = str(error)
        except SourceError as error:
            # The list is read, and stays good without the rest.
            self.left_out.append(native_id)
            self.obstacle = str(error)
        return None

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of pages that are missing."""
        if self.failed:
            why = f"Hexnode could not give the pages of some devices, {_LACKING} there"
            yield Trouble("details_unread", why, len(self.failed))
        if self.left_out:
            why = self.obstacle or "the time was spent, at 30 a minute: raise deadline_minutes"
            yield Trouble(
                "details_left_out",
                f"Not every device could be asked about, {_LACKING}: {why}",
                len(self.left_out),
            )


def page_of(api: Api, native_id: str) -> object:
    """The device's own page; raises `SourceError` where it cannot be had."""

    def decode(answer: Answer) -> object:
        page = _rows.mapping(_rows.anything(answer.body))
        # Not every page was seen to name its device; one that does must name this one.
        if page is None or identity(page) not in {None, native_id}:
            raise ValueError("not the page of that device")
        return page

    return api.get(f"{DEVICES}{quote(native_id, safe='')}/", decode)
