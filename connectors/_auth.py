"""How a request proves who sends it: fixed headers, or a token that is fetched and renewed."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from connectors import _rows, _wire
from fleet.errors import AuthRefused
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors._answers import Answer
    from connectors._http import Api

_UNSTATED_LIFETIME = 300.0


class Auth(Protocol):
    """What the HTTP machinery asks of a credential; all threads of a source share one."""

    def headers(self, api: Api) -> Mapping[str, str]:
        """The headers of the next request; raises `SourceError` where none can be had."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Take note that these headers met a 401; True if the next ones are worth a second try."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class FixedHeaders:
    """A credential that never changes, such as an API key."""

    values: Mapping[str, str]

    def headers(self, api: Api) -> Mapping[str, str]:  # noqa: ARG002 - needed by those that fetch
        """The same headers every time."""
        return self.values

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - there is no other
        """A refused key stays refused."""
        return False


def basic(user: str, password: str) -> FixedHeaders:
    """HTTP Basic, in UTF-8."""
    return FixedHeaders(
        {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    )


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A credential with an end.

    Attributes:
        headers: what carries it.
        lifetime_seconds: counted by the server that issued it, never by comparing clocks; None if unstated.
    """

    headers: Mapping[str, str]
    lifetime_seconds: float | None


def bearer(token: str, lifetime_seconds: float | None) -> Token:
    """A token sent as `Authorization: Bearer`."""
    return Token({"Authorization": f"Bearer {token}"}, lifetime_seconds)


def oauth_token(answer: Answer) -> Token:
    """The token of an OAuth 2 token endpoint (RFC 6749, section 5.1); raises ValueError where there is none."""
    said = _rows.anything(answer.body)
    token, lifetime = _rows.field(said, "access_token"), _wire.number(_rows.field(said, "expires_in"))
    if not isinstance(token, str) or not token:
        raise ValueError("no token")
    return bearer(token, None if isinstance(lifetime, Gap) else lifetime)


class FetchedToken:
    """A token from `fetch`, replaced shortly before its end or after a 401, once for all threads.

    The margin is 60 seconds or a fifth of the lifetime, whichever is less, so that a token of one minute is
    still used for 48 seconds. A refusal of the credential itself is remembered: no thread asks again.
    """

    def __init__(self, fetch: Callable[[Api], Token], now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at = 0.0
        self._refusal: AuthRefused | None = None

    def headers(self, api: Api) -> Mapping[str, str]:
        """The current token's headers; fetches a token where there is none, or it is about to end."""
        with self._lock:
            if self._token is None or self._now() >= self._renew_at:
                self._token = self._fetched(api)
            return self._token.headers

    def _fetched(self, api: Api) -> Token:
        if self._refusal is not None:
            raise self._refusal
        asked_at = self._now()
        try:
            token = self._fetch(api)
        except AuthRefused as refusal:
            self._refusal = refusal
            raise
        lifetime = _UNSTATED_LIFETIME if token.lifetime_seconds is None else token.lifetime_seconds
        self._renew_at = asked_at + lifetime - min(60.0, 0.2 * lifetime)
        return token

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Drop the token if it is still the refused one; another thread may have replaced it already."""
        with self._lock:
            if self._token is not None and self._token.headers == refused:
                self._token = None
        return True
