"""One vendor's API over HTTP: deadlines, retries, limits, and every failure as one of our errors.

An `Api` belongs to one source and one origin; threads may share it. Whatever leaves that origin is refused,
no cookie is kept (cookies pin a client to one node of a cluster), and no message quotes an answer's body.
"""

from __future__ import annotations

import itertools
import logging
import random
import re
import ssl
import threading
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, cast

import httpx

from connectors._auth import Auth, FixedHeaders
from connectors._deadline import DeadlineTransport, within
from connectors._faults import UNSENDABLE, fault_of
from fleet.errors import (
    AuthRefused,
    BadAnswer,
    NotFound,
    PermissionMissing,
    ServerTrouble,
    SettingsError,
    SourceError,
    Throttled,
    Unreachable,
)

if TYPE_CHECKING:
    from types import TracebackType

    from connectors._connector import SourceSettings, Surroundings

log = logging.getLogger(__name__)
T = TypeVar("T")
Params = Iterable[tuple[str, str | int]]

TRIES = 8
_WORTH_WAITING = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 30.0
_HOST = re.compile(rb"[A-Za-z0-9.:_-]+")
_INFLATE_STEP = 1 << 20
_jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, inflated; the body is only read where the status is 2xx."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
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


def origin_url(value: str) -> str:
    """`value` without a slash at its end; raises ValueError unless it is https (or http for a loopback)."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("is not a URL") from None
    if url.userinfo:
        raise ValueError("must not carry a user name or password")
    if not _HOST.fullmatch(url.raw_host) or url.scheme not in {"https", "http"} or url.query or url.fragment:
        raise ValueError("must look like https://host, with nothing after the path")
    if url.scheme == "http" and not _loopback(url.host):
        raise ValueError("must begin with https:// (http:// is for this machine only)")
    return value.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def open_api(
    settings: SourceSettings,
    base_url: str,
    around: Surroundings,
    auth: Auth | None = None,
    *,
    connections: int = 5,
    limit: RateLimit | None = None,
) -> Api:
    """The API at `base_url`, ready for requests; close it, or use it in a `with`.

    Raises `SettingsError` for an address or CA bundle that cannot be used.
    """
    try:
        base = origin_url(base_url)
    except ValueError as error:
        raise SettingsError(f"source {settings.name}: url {error}") from None
    client = httpx.Client(
        transport=around.transport or _network(settings, httpx.URL(base), connections),
        timeout=settings.timeout_seconds,
        headers={"User-Agent": around.user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )
    return Api(client, base, settings=settings, around=around, auth=auth or FixedHeaders({}), limit=limit)


def _network(settings: SourceSettings, base: httpx.URL, connections: int) -> httpx.BaseTransport:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return DeadlineTransport(verify=_trust(settings), proxy=proxy_for(base), limits=limits)


def _trust(settings: SourceSettings) -> ssl.SSLContext:
    if settings.verify is False:
        raise SettingsError(
            f"source {settings.name}: verify = false is not offered; name a CA bundle instead"
        )
    if settings.verify is True:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=Path(settings.verify))
    except OSError:
        raise SettingsError(f"source {settings.name}: verify names no readable CA bundle (PEM)") from None


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that HTTP(S)_PROXY or ALL_PROXY name for `url`, heeding NO_PROXY."""
    proxies = urllib.request.getproxies()
    if urllib.request.proxy_bypass(url.host):
        return None
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


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
    ) -> None:
        self._client = client
        self._base = base
        self._origin = _origin(httpx.URL(base))
        self._settings = settings
        self._around = around
        self._auth = auth
        self._limit = limit
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
        return self._decoded(
            _Ask(method="GET", url=url, headers=headers or {}, permission=permission), decode
        )

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
        ask = _Ask(
            method="POST", url=self._url(path), headers=headers or {}, json=json, permission=permission
        )
        return self._decoded(ask, decode)

    def exchange(
        self,
        path: str,
        decode: Callable[[Answer], T],
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """POST a credential for a token, without any other credential; a 400, 401 or 403 is `AuthRefused`."""
        ask = _Ask(method="POST", url=self._url(path), headers=headers or {}, form=form)
        answer = self._insist(ask, {})
        if answer.status in {400, 401, 403}:
            raise _refused(ask, answer.status)
        _judge(ask, answer)
        try:
            return decode(answer)
        except (ValueError, RecursionError):
            raise _not_ours(ask, answer) from None

    def _url(self, path: str, params: Params = ()) -> httpx.URL:
        try:
            url = httpx.URL(path if path.startswith(("https://", "http://")) else self._base + path)
        except httpx.InvalidURL:
            raise BadAnswer(f"{self._origin[1]} names a next page that is not a URL") from None
        if _origin(url) != self._origin or url.userinfo:
            raise BadAnswer(
                f"{self._origin[1]} points to {url.host or 'another place'}: only its own pages are followed"
            )
        extra = httpx.QueryParams([(key, str(value)) for key, value in params])
        return url.copy_merge_params(extra) if extra else url

    def _decoded(self, ask: _Ask, decode: Callable[[Answer], T]) -> T:
        answer = self._answered(ask)
        try:
            return decode(answer)
        except (ValueError, RecursionError):
            if _markup(answer):
                raise _not_ours(ask, answer) from None
        # A body without Content-Length that breaks off looks whole to HTTP: only its reader notices.
        answer = self._answered(ask)
        try:
            return decode(answer)
        except (ValueError, RecursionError):
            raise _not_ours(ask, answer) from None

    def _answered(self, ask: _Ask) -> Answer:
        credential = self._auth.headers(self)
        answer = self._insist(ask, credential)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._auth.renew(credential):
            answer = self._insist(ask, self._auth.headers(self))
        _judge(ask, answer)
        return answer

    def _insist(self, ask: _Ask, credential: Mapping[str, str]) -> Answer:
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
                if answer.status not in _WORTH_WAITING:
                    return answer
                asked_for, failure, status = (
                    _retry_after(answer.headers),
                    _trouble(ask, answer.status),
                    answer.status,
                )
            if attempt >= tries or self._closed:
                raise failure
            self._hold(ask, asked_for or _backoff(attempt), failure if asked_for is None else None, status)
        raise AssertionError

    def _await_turn(self, ask: _Ask) -> None:
        if self._limit is not None:
            self._limit.wait()
        pause = self._not_before - self._around.now()
        if pause > 0:
            self._around.sleep(pause)
        if self._around.now() >= self._ends:
            minutes = self._settings.deadline_minutes
            raise Unreachable(f"{ask.place}: not done after {minutes:g} minutes; raise deadline_minutes")

    def _hold(self, ask: _Ask, pause: float, failure: SourceError | None, status: object) -> None:
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

    def _once(self, ask: _Ask, credential: Mapping[str, str]) -> Answer:
        headers = {**ask.headers, **credential}
        request = self._client.build_request(
            ask.method, ask.url, headers=headers, data=ask.form, json=ask.json
        )
        with within(min(self._settings.timeout_seconds, self._ends - self._around.now())):
            response = self._client.send(request, stream=True)
            try:
                body = self._body(ask, response) if response.is_success else b""
            finally:
                response.close()
        return Answer(response.status_code, response.headers, body)

    def _body(self, ask: _Ask, response: httpx.Response) -> bytes:
        # The raw stream: httpx would inflate without limit, a thousandfold for a body made to do so.
        parts = cast("Iterable[bytes]", response.stream)
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding in {"gzip", "x-gzip"}:
            parts = _inflated(parts)
        elif coding not in {"", "identity"}:
            raise BadAnswer(f"{ask.place} answered in an encoding that was not asked for")
        kept: list[bytes] = []
        room = self._settings.max_body_mb * 1e6
        for part in parts:
            room -= len(part)
            if room < 0:
                limit = f"{self._settings.max_body_mb:g} MB"
                raise BadAnswer(
                    f"{ask.place} answered with more than {limit}; lower page_size or raise max_body_mb"
                )
            kept.append(part)
        return b"".join(kept)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        for part in parts:
            rest = part
            while rest:
                yield inflate.decompress(rest, _INFLATE_STEP)
                rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                if inflate.eof and rest:
                    inflate = zlib.decompressobj(wbits=31)
        yield inflate.flush()
    except zlib.error:
        raise httpx.ReadError("the compressed body is damaged") from None
    if not inflate.eof:
        raise httpx.ReadError("the compressed body broke off")


def _backoff(attempt: int) -> float:
    return min(_LONGEST_PAUSE, 2.0 ** (attempt - 1)) * _jitter.uniform(0.75, 1)


def _retry_after(headers: httpx.Headers) -> float | None:
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


def _judge(ask: _Ask, answer: Answer) -> None:
    status = answer.status
    if httpx.codes.is_success(status):
        return
    if httpx.codes.is_redirect(status):
        raise BadAnswer(
            f"{ask.place} redirects to {_target(ask, answer)}: set url to the address that answers by itself"
        )
    match status:
        case 401:
            raise _refused(ask, status)
        case 403:
            needed = f'grant "{ask.permission}" to it' if ask.permission else "it lacks a permission"
            raise PermissionMissing(f"{ask.place} does not admit this credential (403): {needed}")
        case 404:
            raise NotFound(f"{ask.place} does not exist there (404): check url, and the server's version")
        case _:
            raise _trouble(ask, status)


def _trouble(ask: _Ask, status: int) -> SourceError:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(
            f"{ask.place} keeps asking for fewer requests (429): lower max_concurrency or run later"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerTrouble(
            f"{ask.place} answers with an error of its own ({status}): see the server's log", status=status
        )
    return BadAnswer(f"{ask.place} does not accept the request ({status}): check the settings of this source")


def _refused(ask: _Ask, status: int) -> AuthRefused:
    return AuthRefused(
        f"{ask.place} refused the credential ({status}): check it, and that it has not expired"
    )


def _target(ask: _Ask, answer: Answer) -> str:
    try:
        target = ask.url.join(answer.headers.get("location", ""))
    except httpx.InvalidURL:
        return "an unreadable address"
    return f"{target.scheme}://{target.host}"[:200] if target.host.isprintable() else "an unreadable address"


def _markup(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"<"


def _not_ours(ask: _Ask, answer: Answer) -> BadAnswer:
    kind = answer.headers.get("content-type", "no content type").split(";")[0][:60]
    why = (
        "a login page or a firewall stands before it"
        if _markup(answer)
        else "the answer is cut or is not its API"
    )
    return BadAnswer(
        f"{ask.place} answered {answer.status} with {kind} that cannot be read: {why}; check url"
    )
