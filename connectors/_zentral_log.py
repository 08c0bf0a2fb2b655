"""Zentral's log of commands, and the newest answer of each device in it.

The log holds an answer as a property list, newest command first, for all devices or for one (Zentral's command views
and serializers, read 2026-11-22).
"""

from __future__ import annotations

import base64
import plistlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, NotRequired, TypeVar
from urllib.parse import urlencode

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _pages, _rows
from connectors._mdm_answer import INFORMATION_KEYS
from connectors._rows import Loose, field, mapping
from connectors._zentral_device import Answer, identity, moment
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors import _http

VIEW_COMMANDS = 'MDM::Action::"viewDeviceCommand"'
_COMMANDS = "/api/mdm/devices/commands/"
_NEWS_PER_ROW = 1 / 50
_LATEST = 20


@dataclass(frozen=True, slots=True)
class Question:
    """A command whose answers are looked for.

    Attributes:
        command: its name in Zentral.
        part: what marks an answer to it, and holds the keys.
        keys: those that are kept.
        alone: True if nothing else goes by that name, so that what cannot be decoded is an answer too.
    """

    command: str
    part: str
    keys: tuple[str, ...]
    alone: bool


INFORMATION = Question(
    "DeviceInformation",
    "QueryResponses",
    INFORMATION_KEYS,
    alone=True,
)
# Zentral has no command of its own for restrictions: an admin may send Apple's as a custom one.
RESTRICTIONS = Question("CustomCommand", "GlobalRestrictions", ("restrictedBool",), alone=False)


class _Command(TypedDict, total=False):
    enrolled_device: object
    status: object
    result: object
    result_time: object


class _CommandPage(TypedDict):
    next: NotRequired[object]
    results: list[Annotated[_Command | object, Loose]]


_PAGE = TypeAdapter(_CommandPage)
P = TypeVar("P")


def newest(api: _http.Api, question: Question, size: int, found: dict[str, Answer]) -> None:
    """Fill `found` with each device's newest answer by the device's id; raises `SourceError` with what came till then.

    The log goes back for years. It is read on while one row in fifty brings a device not met before: for what is
    missing then a request each is the lesser evil.
    """
    params = {"name": question.command, "limit": size}
    for page in walked(api, _COMMANDS, params, _PAGE, VIEW_COMMANDS):
        met = len(found)
        for key, answer in _answers(page, question):
            found[key] = _later(found.get(key), answer)
        if len(found) - met < _NEWS_PER_ROW * len(page["results"]):
            return


def newest_of(api: _http.Api, question: Question, key: str) -> Answer | None:
    """The newest answer of one device, None where it gave none of late; raises `SourceError`."""
    params = {"name": question.command, "enrolled_device": key, "limit": _LATEST}
    page = api.get(f"{_COMMANDS}?{urlencode(params)}", partial(_whole, _PAGE), permission=VIEW_COMMANDS)
    return next((answer for said, answer in _answers(page, question) if said == key), None)


def _answers(page: _CommandPage, question: Question) -> Iterator[tuple[str, Answer]]:
    for row in page["results"]:
        key, result = identity(row, "enrolled_device"), field(row, "result")
        # There is no result before the device answered; "NotNow" and errors bring one without the facts.
        if key is not None and result is not None and field(row, "status") == "Acknowledged":
            said = _said(_decoded(result), question)
            if said is not None:
                yield key, Answer(said, moment(field(row, "result_time")))


def _said(decoded: object, question: Question) -> object:
    """What of an answer is kept, None where it answers something else."""
    whole = mapping(decoded)
    if whole is None:
        return decoded if question.alone else None
    part = mapping(whole.get(question.part))
    return (
        whole.get(question.part) if part is None else {key: part[key] for key in question.keys if key in part}
    )


def _decoded(result: object) -> object:
    """The property list in `result`, or what was there instead of one."""
    try:
        return plistlib.loads(base64.b64decode(str(result), validate=True), fmt=plistlib.FMT_BINARY)
    except (ValueError, RecursionError):
        return "no property list"


def _later(known: Answer | None, other: Answer) -> Answer:
    # A command may be answered after one that was sent later.
    if known is None or isinstance(known.at, Gap):
        return known or other
    return known if isinstance(other.at, Gap) or other.at <= known.at else other


def walked(
    api: _http.Api, path: str, params: Mapping[str, object], page: TypeAdapter[P], permission: str
) -> Iterator[P]:
    """The pages of one of Zentral's lists, by the links that it gives; raises `SourceError`."""

    def fetch(link: str) -> P:
        return api.get(link, partial(_whole, page), permission=permission)

    return _pages.by_link(fetch, _following, first=f"{path}?{urlencode(params)}", rows=_results)


def _whole(page: TypeAdapter[P], answer: _http.Answer) -> P:
    found = _rows.decode(page, answer.body)
    if not isinstance(field(found, "next"), str | None):
        raise ValueError("no link")  # noqa: TRY004 - the sign of an unusable answer
    return found


def _results(page: object) -> list[object]:
    return _rows.rows(field(page, "results"))


def _following(page: object) -> str | None:
    link = field(page, "next")
    return link if isinstance(link, str) else None
