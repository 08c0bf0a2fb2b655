"""What an answer over HTTP means: whole or not, how long to wait, and each failure as one of our errors.

No message quotes a body. A vendor that gives a status a meaning of its own says so by `Meanings`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeAlias

import httpx

from fleet.errors import (
    AuthRefused,
    BadAnswer,
    NotFound,
    PermissionMissing,
    ServerTrouble,
    SourceError,
    Throttled,
)

Meanings: TypeAlias = Mapping[int, Callable[[str], SourceError]]
"""By status: the error to raise, made from the place (host and path) that answered so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, inflated; the body is only read where the status is 2xx."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request before its credential.

    Attributes:
        permission: the vendor's name of what a 403 means to be missing.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    form: Mapping[str, str] | None = None
    json: object = None
    permission: str = ""

    @property
    def place(self) -> str:
        """Host and path, for messages; a query may carry what nobody else should read."""
        return f"{self.url.host}{self.url.path}"


def retry_after(headers: httpx.Headers) -> float | None:
    """The seconds that a server asks to wait; None where it does not say, or says none."""
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", said):  # Microsoft Graph counts in fractions
        return min(float(said[:20]), 1e12) or None
    date, there = _http_date(said), _http_date(headers.get("date", ""))
    if date is None:
        return None
    # The server's own clock, because ours may be wrong; only a server without one is measured by ours.
    seconds = (date - (there or datetime.now(UTC))).total_seconds()
    return seconds if seconds > 0 else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def server_time(answer: Answer) -> datetime | None:
    """When the server says it answered, by its `Date` header."""
    return _http_date(answer.headers.get("date", ""))


def judge(ask: Ask, answer: Answer, meanings: Meanings) -> None:
    """Raises the error that the answer's status is; nothing for one that brings what was asked for."""
    status = answer.status
    if httpx.codes.is_success(status):
        return
    if status in meanings:
        raise meanings[status](ask.place)
    if httpx.codes.is_redirect(status):
        raise BadAnswer(
            f"{ask.place} redirects to {_target(ask, answer)}: set url to the address that answers by itself"
        )
    match status:
        case 401:
            raise refused(ask, status)
        case 403:
            raise PermissionMissing(
                f"{ask.place} does not admit this credential (403): {_needed(ask.permission)}"
            )
        case 404:
            raise NotFound(f"{ask.place} does not exist there (404): check url, and the server's version")
        case _:
            raise trouble(ask, status)


def _needed(permission: str) -> str:
    if not permission:
        return "it lacks a permission"
    # Some vendors' names have quotes of their own.
    return f"grant {permission} to it" if '"' in permission else f'grant "{permission}" to it'


def trouble(ask: Ask, status: int) -> SourceError:
    """The error of a status that says nothing of the credential."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(
            f"{ask.place} keeps asking for fewer requests (429): lower max_concurrency or run later"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerTrouble(
            f"{ask.place} answers with an error of its own ({status}): see the server's log", status=status
        )
    return BadAnswer(f"{ask.place} does not accept the request ({status}): check the settings of this source")


def refused(ask: Ask, status: int) -> AuthRefused:
    """The error of a credential that the server does not take."""
    return AuthRefused(
        f"{ask.place} refused the credential ({status}): check it, and that it has not expired"
    )


def _target(ask: Ask, answer: Answer) -> str:
    try:
        target = ask.url.join(answer.headers.get("location", ""))
    except httpx.InvalidURL:
        return "an unreadable address"
    return f"{target.scheme}://{target.host}"[:200] if target.host.isprintable() else "an unreadable address"


def markup(answer: Answer) -> bool:
    """True of HTML and XML, which no API of ours speaks."""
    return answer.body.lstrip()[:1] == b"<"


def not_ours(ask: Ask, answer: Answer) -> BadAnswer:
    """The error of a 2xx whose body cannot be read."""
    kind = answer.headers.get("content-type", "no content type").split(";")[0][:60]
    why = (
        "a login page or a firewall stands before it"
        if markup(answer)
        else "the answer is cut or is not its API"
    )
    return BadAnswer(
        f"{ask.place} answered {answer.status} with {kind} that cannot be read: {why}; check url"
    )
