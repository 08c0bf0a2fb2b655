"""Asking a vendor about one device after the other, for what none of its lists tells: bounded, and counted.

The trouble of one device costs that device alone. What would befall all the others too ends the asking: a missing
permission, an outage, a spent allowance, the end of the time. The list stays good without the rest.
"""

from __future__ import annotations

from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from connectors._pages import fetched_ahead
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError, Throttled
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors._connector import SourceSettings, Surroundings

A = TypeVar("A")
Row: TypeAlias = DeviceRecord | Rejected

_SHARE_OF_TIME = 0.9
_HOPELESS = 5
_BACKED_UP = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}


def worth_asking(record: DeviceRecord) -> bool:
    """True for a managed device that has iCloud Backup, or may have: of any other nothing more is wanted."""
    return (isinstance(record.platform, Gap) or record.platform in _BACKED_UP) and record.managed is not False


class OneByOne(Generic[A]):
    """Answers about single devices, by at most `ahead` requests at once; a tenth of the time is left for the rest.

    Args:
        ask: the request for the device with that id; raises `SourceError`. The source's own limit of rates holds.
        settings: of the source, for its deadline.
        around: for the clock.
        vendor: who is asked.
        lacking: what stays unknown without the answer, in the plural, for the report.
        ahead: the most requests in flight.
        wanted: False asks for nothing at all.
        switch: the setting that spares the asking.

    Attributes:
        unread: devices whose answer could not be had or read.
        left_out: devices that were not asked about any more.
    """

    def __init__(
        self,
        ask: Callable[[str], A],
        settings: SourceSettings,
        around: Surroundings,
        *,
        vendor: str,
        lacking: str,
        ahead: int,
        wanted: bool = True,
        switch: str = "detail = false",
    ) -> None:
        self._ask = ask
        self._now = around.now
        began = around.now()
        self._until = began + (around.until(settings.deadline_minutes) - began) * _SHARE_OF_TIME
        self._vendor = vendor
        self._lacking = lacking
        self._ahead = ahead
        self._switch = switch
        self._otherwise: Gap = ABSENT if wanted else NOT_REPORTED
        self.unread: set[str] = set()
        self.left_out: set[str] = set()
        self._refused: set[str] = set()
        self._refusal: PermissionMissing | None = None
        self._obstacle: SourceError | None = None
        self._outage: SourceError | None = None
        self._latest: SourceError | None = None
        self._in_vain = 0

    def completed(
        self,
        rows: Sequence[Row],
        put_in: Callable[[DeviceRecord, A | Gap], Row],
        *,
        asks: Callable[[DeviceRecord], bool] = worth_asking,
    ) -> list[Row]:
        """`rows` in their order, each record with its answer `put_in`, or with the gap in the answer's place."""
        records = [row for row in rows if isinstance(row, DeviceRecord)]
        told = self._about([record.native_id for record in records if asks(record)])
        return [
            put_in(row, told.get(row.native_id, self._otherwise)) if isinstance(row, DeviceRecord) else row
            for row in rows
        ]

    def _about(self, ids: Sequence[str]) -> dict[str, A | Gap]:
        if self._otherwise is NOT_REPORTED:
            return {}
        with closing(fetched_ahead(self._one, ids, self._ahead)) as answers:
            return dict(zip(ids, answers, strict=True))

    def _one(self, native_id: str) -> A | Gap:
        if self._refusal is not None:
            self._refused.add(native_id)
            return NOT_PERMITTED
        if self._obstacle is not None or self._now() >= self._until:
            self.left_out.add(native_id)
            return ABSENT
        try:
            answer = self._ask(native_id)
        except SourceError as error:
            return self._without(native_id, error)
        self._in_vain = 0
        return answer

    def _without(self, native_id: str, error: SourceError) -> Gap:
        match error:
            case PermissionMissing():
                self._refusal = error
                self._refused.add(native_id)
                return NOT_PERMITTED
            case NotFound():
                # Removed since it was listed; where that goes for one after the other, the path itself is missing.
                self._count_in_vain(error)
            case BadAnswer() | ServerTrouble(status=HTTPStatus.INTERNAL_SERVER_ERROR):
                self._latest = error
                self.unread.add(native_id)
                self._count_in_vain(error)
            case Throttled():
                self.left_out.add(native_id)
                self._obstacle = error
            case _:
                self.left_out.add(native_id)
                self._obstacle = self._outage = error
        return ABSENT

    def _count_in_vain(self, error: SourceError) -> None:
        self._in_vain += 1
        if self._in_vain >= _HOPELESS:
            self._obstacle = error

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of answers that did not come."""
        unknown = f"so {self._lacking} stay unknown there"
        if self._refusal is not None:
            why = f"{self._vendor} does not tell {self._lacking}: {self._refusal}, or set {self._switch}"
            yield Trouble("details_forbidden", why, len(self._refused))
        if self.unread:
            why = f"{self._vendor} could not give the details of some devices, {unknown}: {self._latest}"
            yield Trouble("details_unread", why, len(self.unread))
        if self.left_out:
            cause = self._obstacle or "the time was spent; raise deadline_minutes"
            why = f"Not every device could be asked about, {unknown}: {cause}"
            yield Trouble("details_left_out", why, len(self.left_out))

    def raise_outage(self) -> None:
        """Raises what befell the server; to be called after the last page, so that the night counts as cut short."""
        if self._outage is not None:
            raise self._outage
