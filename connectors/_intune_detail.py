"""What Intune tells of a device only when asked by its id, twenty devices to a request.

Source: Microsoft Graph, "Combine multiple requests in one HTTP call using JSON batching", and the notes on
`hardwareInformation` in the beta reference of managedDevice, read 2026-11-22. In a list that property holds
defaults that look like facts; it is only true where the id is in the path and the property in `$select`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows, _wire
from connectors._intune_graph import READ_DEVICES, SIDE_FAILURES
from connectors._pages import fetched_ahead
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors._http import Answer, Api, RateLimit

_ITEMS = 20
_ROUNDS = 6
_LONGEST_PAUSE = 60.0
_WORTH_WAITING = frozenset({429, 500, 502, 503, 504})
_BATCH = "/beta/$batch"


@dataclass(slots=True)
class _Round:
    """What one round brought: answers by device (None for one that has left), and devices to ask again."""

    answers: dict[str, object] = field(default_factory=dict[str, object])
    again: list[str] = field(default_factory=list[str])
    pause: float = 0.0


@dataclass(slots=True, kw_only=True)
class Details:
    """Answers for single devices, and a tally of those that could not be had.

    Attributes:
        limit: counts every device of a batch, as Graph does.
        ahead: the most requests in flight.
        unread: devices whose answer could not be had.
        failure: why batches were given up altogether.
    """

    api: Api
    limit: RateLimit
    sleep: Callable[[float], None]
    ahead: int
    unread: int = 0
    failure: str | None = None

    def of(self, ids: Sequence[str]) -> dict[str, object]:
        """The answers by id; devices that are throttled are asked for again, a few times."""
        answers: dict[str, object] = {}
        wanted = ids
        for attempt in range(_ROUNDS):
            done = self._round(wanted)
            answers |= done.answers
            wanted = done.again
            if not wanted:
                break
            self.sleep(done.pause or 2.0**attempt)
        self.unread += len(set(ids) - answers.keys())
        return answers

    def _round(self, ids: Sequence[str]) -> _Round:
        done = _Round()
        if self.failure is None:
            batches = [ids[start : start + _ITEMS] for start in range(0, len(ids), _ITEMS)]
            try:
                for part in fetched_ahead(self._ask, batches, self.ahead):
                    done.answers |= part.answers
                    done.again += part.again
                    done.pause = max(done.pause, part.pause)
            except SIDE_FAILURES as error:
                self.failure = str(error)
        return done

    def _ask(self, ids: Sequence[str]) -> _Round:
        for _ in ids[1:]:  # the request itself is counted where it is sent
            self.limit.wait()
        asked = {"requests": [_item(number, native_id) for number, native_id in enumerate(ids)]}
        return self.api.post(
            _BATCH, lambda answer: _sorted_out(answer, ids), json=asked, permission=READ_DEVICES
        )

    def troubles(self) -> Iterator[Trouble]:
        """One line for the report where devices remain without their answer."""
        if self.unread:
            why = (
                self.failure
                or f'Graph refused them one by one: grant "{READ_DEVICES}", or run at a quieter time'
            )
            lacking = "so their UDID, model identifier, battery and Shared iPad flag are absent"
            yield Trouble(
                "details_unread", f"Intune gave no details of single devices, {lacking}: {why}", self.unread
            )


def _item(number: int, native_id: str) -> dict[str, str]:
    path = f"/deviceManagement/managedDevices/{quote(native_id, safe='')}"
    return {"id": str(number), "method": "GET", "url": f"{path}?$select=id,udid,hardwareInformation"}


def _sorted_out(answer: Answer, ids: Sequence[str]) -> _Round:
    """The items of one answer, which come in any order and each with a status of its own."""
    done = _Round()
    by_number = {str(number): native_id for number, native_id in enumerate(ids)}
    for item in _rows.rows(_rows.field(_rows.anything(answer.body), "responses")):
        number, status = _rows.field(item, "id"), _rows.field(item, "status")
        native_id = by_number.get(number) if isinstance(number, str) else None
        if native_id is None:
            continue
        if status == HTTPStatus.OK:
            done.answers[native_id] = _rows.field(item, "body")
        elif status == HTTPStatus.NOT_FOUND:
            done.answers[native_id] = None
        elif isinstance(status, int) and status in _WORTH_WAITING:
            done.again.append(native_id)
            done.pause = max(done.pause, _asked_pause(_rows.field(item, "headers")))
    return done


def _asked_pause(headers: object) -> float:
    """Seconds, which Graph may write with a fraction; 0 where it names none, as Intune often does."""
    said = _rows.field(headers, "Retry-After")
    try:
        seconds = float(said) if isinstance(said, str) else _wire.number(said)
    except ValueError:
        return 0.0
    return 0.0 if isinstance(seconds, Gap) else min(max(seconds, 0.0), _LONGEST_PAUSE)
