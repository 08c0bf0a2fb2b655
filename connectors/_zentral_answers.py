"""What Zentral's devices answered: looked up for all of them at once, then for each that is missing."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors._connector import SourceSettings
from connectors._http import Api, origin_url
from connectors._one_by_one import OneByOne, Row, worth_asking
from connectors._zentral_device import (
    FROM_INFORMATION,
    FROM_RESTRICTIONS,
    UNANSWERED,
    Answer,
    identity,
    read_device,
    without,
)
from connectors._zentral_log import INFORMATION, RESTRICTIONS, Question, newest, newest_of
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.device import DeviceRecord, Rejected
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors._connector import Surroundings

_LARGEST_PAGE = 500
_CONNECTIONS = 5
_RESTRICTIONS_HOLD = timedelta(days=7)


class ZentralSettings(SourceSettings):
    """The keys of `kind = "zentral"`.

    `detail = false` leaves the log of commands alone, and with it backups and storage; `profiles = false` leaves out
    the look for answers to `Restrictions` there.
    """

    url: Annotated[str, AfterValidator(origin_url)]
    api_token: SecretStr
    detail: bool = True
    profiles: bool = True


class Answers:
    """What devices answered, looked up once for all of them and then for each that is missing.

    Attributes:
        missing: asks for the answers that were not found among the latest.
    """

    def __init__(self, api: Api, settings: ZentralSettings, around: Surroundings) -> None:
        self._api = api
        self._settings = settings
        self._told: list[Trouble] = []
        self._asks = settings.detail
        self.missing = OneByOne(
            partial(newest_of, api, INFORMATION),
            settings,
            around,
            vendor="Zentral",
            lacking="backups and storage",
            ahead=connections(settings),
        )
        self._information = self._swept(INFORMATION) if settings.detail else {}
        since = around.collected_at - _RESTRICTIONS_HOLD
        said = self._swept(RESTRICTIONS) if settings.profiles and not self._told else {}
        # Nothing says that an old answer still holds.
        self._restrictions = {
            key: one for key, one in said.items() if not isinstance(one.at, Gap) and one.at >= since
        }

    def _swept(self, question: Question) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        try:
            newest(self._api, question, page_size(self._settings), found)
        except (PermissionMissing, NotFound, BadAnswer, ServerTrouble) as error:
            self._asks = False
            why = f"What devices answered, backups and storage among it, is absent: {error}"
            self._told.append(Trouble(error.code, why))
        return found

    def laid_over(self, rows: Sequence[tuple[str, object]]) -> list[Row]:
        """The records of rows, each with its place."""
        places = {identity(row): (place, row) for place, row in rows}

        def put_in(record: DeviceRecord, answer: Answer | Gap | None) -> Row:
            return self._read(*places[record.native_id], answer) if isinstance(answer, Answer) else record

        records = [self._read(place, row) for place, row in rows]
        return self.missing.completed(records, put_in, asks=self._not_met)

    def _not_met(self, record: DeviceRecord) -> bool:
        return self._asks and worth_asking(record) and record.native_id not in self._information

    def _read(self, place: str, row: object, answer: Answer | None = None) -> Row:
        key = identity(row) or ""
        information = answer or self._information.get(key, UNANSWERED)
        record = read_device(row, place, information, self._restrictions.get(key, UNANSWERED))
        return record if isinstance(record, Rejected) else without(record, unasked(self._settings))

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of answers that could not be read."""
        yield from self._told
        yield from self.missing.troubles()


def connections(settings: ZentralSettings) -> int:
    """The most requests at once."""
    return settings.max_concurrency or _CONNECTIONS


def page_size(settings: ZentralSettings) -> int:
    """Rows per page; Zentral gives no more than 500."""
    return min(settings.page_size or _LARGEST_PAGE, _LARGEST_PAGE)


def unasked(settings: ZentralSettings) -> frozenset[str]:
    """The signals that these settings leave out."""
    none = frozenset[str]()
    return (none if settings.detail else FROM_INFORMATION) | (
        none if settings.profiles else FROM_RESTRICTIONS
    )
