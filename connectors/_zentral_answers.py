"""What Zentral's devices answered: looked up for all of them at once, then for each that is missing."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors import _pages
from connectors._connector import SourceSettings
from connectors._http import Api, origin_url
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
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors._connector import Surroundings

_LARGEST_PAGE = 500
_CONNECTIONS = 5
_BROKEN = 500
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
    """What devices answered, looked up once for all of them and then for each that is missing."""

    def __init__(self, api: Api, settings: ZentralSettings, around: Surroundings) -> None:
        self._api = api
        self._settings = settings
        self._told: list[Trouble] = []
        self._unread = 0
        self._asks = settings.detail
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

    def laid_over(self, rows: Sequence[tuple[str, object]]) -> list[DeviceRecord | Rejected]:
        """The records of rows, each with its place; raises `SourceError` where the server does not go on."""
        wanted = [key for _, row in rows if (key := self._missing(row)) is not None]
        with closing(_pages.fetched_ahead(self._one, wanted, connections(self._settings))) as answers:
            for key, answer in zip(wanted, answers, strict=True):
                if isinstance(answer, SourceError):
                    self._unread += 1
                elif answer is not None:
                    self._information[key] = answer
        return [self._read(place, row) for place, row in rows]

    def _missing(self, row: object) -> str | None:
        """The id of a phone or tablet under management whose answer is still to be asked for."""
        key = identity(row)
        if not self._asks or key is None or key in self._information:
            return None
        record = read_device(row, "", UNANSWERED, UNANSWERED)
        if isinstance(record, Rejected) or record.platform not in {Platform.IOS, Platform.IPADOS}:
            return None
        return None if record.managed is False else key

    def _one(self, key: str) -> Answer | SourceError | None:
        try:
            return newest_of(self._api, INFORMATION, key)
        except (PermissionMissing, NotFound, BadAnswer) as error:
            return error
        except ServerTrouble as error:
            if error.status != _BROKEN:
                # Not one device is in trouble but the server.
                raise
            return error

    def _read(self, place: str, row: object) -> DeviceRecord | Rejected:
        key = identity(row) or ""
        information, restrictions = (
            found.get(key, UNANSWERED) for found in (self._information, self._restrictions)
        )
        record = read_device(row, place, information, restrictions)
        return record if isinstance(record, Rejected) else without(record, unasked(self._settings))

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of answers that could not be read."""
        yield from self._told
        if self._unread:
            why = "Answers of some devices could not be read, so their backups are absent: see Zentral's log"
            yield Trouble("answers_unread", why, self._unread)


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
