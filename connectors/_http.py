"""One vendor's API over HTTP: deadlines, retries, limits, and every failure as one of our errors.

An `Api` belongs to one source and one origin; threads may share it. Whatever leaves that origin is refused,
no cookie is kept (cookies pin a client to one node of a cluster), and no message quotes an answer's body.
"""

from __future__ import annotations

import itertools
import logging
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from connectors._answers import (
    Answer,
    Ask,
    Meanings,
    judge,
    markup,
    not_ours,
    refused,
    retry_after,
    server_time,
    trouble,
)
from connectors._auth import Auth, FixedHeaders
from connectors._body import read_body
from connectors._deadline import within
from connectors._faults import UNSENDABLE, fault_of
from connectors._network import network, origin_url
from fleet.errors import AuthRefused, BadAnswer, SettingsError, SourceError, Throttled, Unreachable

if TYPE_CHECKING:
    from types import TracebackType

    from connectors._connector import SourceSettings, Surroundings

__all__ = [
    "TRIES",
    "Answer",
    "Api",
    "Meanings",
    "Params",
    "RateLimit",
    "open_api",
    "origin_url",
    "server_time",
]

log = logging.getLogger(__name__)
T = TypeVar("T")
Params = Iterable[tuple[str, str | int]]

TRIES = 8
_WORTH_WAITING = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 30.0
_jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing


class RateLimit:
    """A token bucket: at most `rate` requests in a burst, refilled evenly over `per_seconds`."""

    def __init__(self, rate: int, per_seconds: float, around: Surroundings) -> None:
        self._rate = rate
        self._per_second = rate / per_seconds
        self._around = around
        self._lock = threading.Lock()
        self._tokens = float(rate)
        self._counted_at = around.now()

    def wait(self) -> None:
        """Return when one more request is within the limit."""
        with self._lock:
            now = self._around.now()
            self._tokens = min(self._rate, self._tokens + (now - self._counted_at) * self._per_second) - 1
            self._counted_at = now
            owed = -self._tokens / self._per_second
        if owed > 0:
            self._around.sleep(owed)


def open_api(
    settings: SourceSettings,
    base_url: str,
    around: Surroundings,
    auth: Auth | None = None,
    *,
    connections: int = 5,
    limit: RateLimit | None = None,
    meanings: Meanings | None = None,
) -> Api:
    """The API at `base_url`, ready for requests; close it, or use it in a `with`.

    `meanings` are statuses that this vendor gives a meaning of its own; such an answer is never asked for again.
    Raises `SettingsError` for an address or CA bundle that cannot be used.
    """
    try:
        base = origin_url(base_url)
    except ValueError as error:
        raise SettingsError(f"source {settings.name}: url {error}") from None
    client = httpx.Client(
        transport=around.transport or network(settings, httpx.URL(base), connections),
        timeout=settings.timeout_seconds,
        headers={"User-Agent": around.user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )
    proof = auth or FixedHeaders({})
    return Api(
        client, base, settings=settings, around=around, auth=proof, limit=limit, meanings=meanings or {}
    )


class Api:
    """Requests to one origin; see `open_api`. Every method raises `SourceError` where it has no answer."""

    def __init__(
        self,
        client: httpx.Client,
        base: str,
        *,
        settings: SourceSettings,
        around: Surroundings,
        auth: Auth,
        limit: RateLimit | None,
        meanings: Meanings,
    ) -> None:
        self._client = client
        self._base = base
        self._origin = _origin(httpx.URL(base))
        self._settings = settings
        self._around = around
        self._auth = auth
        self._limit = limit
        self._meanings = meanings
        self._ends = around.now() + settings.deadline_minutes * 60
        self._gate = threading.Lock()
        self._not_before = around.now()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; threads still at work give up at their next try."""
        self._closed = True
        self._client.close()

    def sign_in(self) -> None:
        """Get a credential now; raises `AuthRefused` where it is refused."""
        self._auth.headers(self)

    def get(
        self,
        path: str,
        decode: Callable[[Answer], T],
        *,
        params: Params = (),
        permission: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """GET `path` (below the base, or an absolute URL of the same origin), decoded.

        Args:
            path: where.
            decode: raises ValueError for what it cannot read; such an answer is fetched once more.
            params: repeated keys are sent repeatedly.
            permission: the vendor's name of what a 403 means to be missing.
            headers: further request headers.
        """
        url = self._url(path, params)
        return self._decoded(Ask(method="GET", url=url, headers=headers or {}, permission=permission), decode)

    def post(
        self,
        path: str,
        decode: Callable[[Answer], T],
        *,
        json: object,
        permission: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Like `get`, for lists that a vendor serves by POST: the request must be safe to repeat."""
        ask = Ask(method="POST", url=self._url(path), headers=headers or {}, json=json, permission=permission)
        return self._decoded(ask, decode)

    def exchange(
        self,
        path: str,
        decode: Callable[[Answer], T],
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """POST a credential, as a form or as JSON, for a token, without any other credential.

        A 400, 401 or 403 is `AuthRefused`.
        """
        ask = Ask(method="POST", url=self._url(path), headers=headers or {}, form=form, json=json)
        answer = self._insist(ask, {})
        if answer.status in {400, 401, 403}:
            raise refused(ask, answer.status)
        judge(ask, answer, self._meanings)
        try:
            return decode(answer)
        except (ValueError, RecursionError):
            raise not_ours(ask, answer) from None

    def _url(self, path: str, params: Params = ()) -> httpx.URL:
        try:
            url = httpx.URL(path if path.startswith(("https://", "http://")) else self._base + path)
        except httpx.InvalidURL:
            raise BadAnswer(f"{self._origin[1]} names a next page that is not a URL") from None
        if _origin(url) != self._origin or url.userinfo:
            raise BadAnswer(_astray(self._origin, url))
        extra = httpx.QueryParams([(key, str(value)) for key, value in params])
        return url.copy_merge_params(extra) if extra else url

    def _decoded(self, ask: Ask, decode: Callable[[Answer], T]) -> T:
        answer = self._answered(ask)
        try:
            return decode(answer)
        except (ValueError, RecursionError):
            if markup(answer):
                raise not_ours(ask, answer) from None
        # A body without Content-Length that breaks off looks whole to HTTP: only its reader notices.
        answer = self._answered(ask)
        try:
            return decode(answer)
        except (ValueError, RecursionError):
            raise not_ours(ask, answer) from None

    def _answered(self, ask: Ask) -> Answer:
        credential = self._auth.headers(self)
        answer = self._insist(ask, credential)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._auth.renew(credential):
            answer = self._insist(ask, self._auth.headers(self))
        judge(ask, answer, self._meanings)
        return answer

    def _insist(self, ask: Ask, credential: Mapping[str, str]) -> Answer:
        for attempt in itertools.count(1):
            self._await_turn(ask)
            tries, asked_for = TRIES, None
            try:
                answer = self._once(ask, credential)
            except UNSENDABLE:
                # The library's own message would quote the header, and with it the secret.
                raise AuthRefused(
                    f"{ask.url.host}: the credential holds a character that HTTP cannot carry"
                ) from None
            except httpx.TransportError as error:
                tries, failure = fault_of(error, ask.url.host, self._settings.timeout_seconds)
                failure.__cause__ = error
                status = type(error).__name__
            else:
                if answer.status not in _WORTH_WAITING or answer.status in self._meanings:
                    return answer
                asked_for, failure, status = (
                    retry_after(answer.headers),
                    trouble(ask, answer.status),
                    answer.status,
                )
            if attempt >= tries or self._closed:
                raise failure
            self._hold(ask, asked_for or _backoff(attempt), failure if asked_for is None else None, status)
        raise AssertionError

    def _await_turn(self, ask: Ask) -> None:
        if self._limit is not None:
            self._limit.wait()
        pause = self._not_before - self._around.now()
        if pause > 0:
            self._around.sleep(pause)
        if self._around.now() >= self._ends:
            minutes = self._settings.deadline_minutes
            raise Unreachable(f"{ask.place}: not done after {minutes:g} minutes; raise deadline_minutes")

    def _hold(self, ask: Ask, pause: float, failure: SourceError | None, status: object) -> None:
        # One gate for all threads: what throttles one request throttles the source.
        now = self._around.now()
        if now + pause >= self._ends:
            raise failure or Throttled(
                f"{ask.place} asks to wait {pause:.0f} s, longer than deadline_minutes leaves; run later"
            )
        with self._gate:
            self._not_before = max(self._not_before, now + pause)
        fields = {
            "source": self._settings.name,
            "path": ask.url.path,
            "status": status,
            "wait": round(pause, 1),
        }
        log.warning("request_retried source=%(source)s path=%(path)s status=%(status)s wait=%(wait)s", fields)

    def _once(self, ask: Ask, credential: Mapping[str, str]) -> Answer:
        headers = {**ask.headers, **credential}
        request = self._client.build_request(
            ask.method, ask.url, headers=headers, data=ask.form, json=ask.json
        )
        with within(min(self._settings.timeout_seconds, self._ends - self._around.now())):
            response = self._client.send(request, stream=True)
            try:
                body = (
                    read_body(response, place=ask.place, max_mb=self._settings.max_body_mb)
                    if response.is_success
                    else b""
                )
            finally:
                response.close()
        return Answer(response.status_code, response.headers, body)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _astray(origin: tuple[str, str, int], url: httpx.URL) -> str:
    scheme, host, _ = origin
    if (url.host, url.scheme) == (host, "http") and scheme == "https":
        return (
            f"{host} points to its next page by http://, which is not followed: the proxy before it must tell it of "
            "https (X-Forwarded-Proto)"
        )
    return f"{host} points to {url.host or 'another place'}: only its own pages are followed"


def _backoff(attempt: int) -> float:
    return min(_LONGEST_PAUSE, 2.0 ** (attempt - 1)) * _jitter.uniform(0.75, 1)
