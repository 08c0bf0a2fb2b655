"""One vendor's API over HTTP: whole answers, decoded, and every failure as one of our errors.

An `Api` belongs to one source and one origin; threads may share it. Whatever leaves that origin is refused,
no cookie is kept (cookies pin a client to one node of a cluster), and no message quotes an answer's body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from connectors._answers import Answer, Ask, Meanings, judge, markup, not_ours, refused, server_time
from connectors._auth import Auth, FixedHeaders
from connectors._network import network, origin_url
from connectors._rate_limit import RateLimit
from connectors._sending import Sender
from fleet.errors import BadAnswer, SettingsError

if TYPE_CHECKING:
    from types import TracebackType

    from connectors._connector import SourceSettings, Surroundings

__all__ = [
    "Answer",
    "Api",
    "Meanings",
    "Params",
    "RateLimit",
    "open_api",
    "origin_url",
    "server_time",
]

T = TypeVar("T")
Params = Iterable[tuple[str, str | int]]


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
    sender = Sender(client, settings, around, limit=limit, final=(meanings or {}).keys())
    return Api(client, sender, base, auth=auth or FixedHeaders({}), meanings=meanings or {})


class Api:
    """Requests to one origin; see `open_api`. Every method raises `SourceError` where it has no answer."""

    def __init__(
        self,
        client: httpx.Client,
        sender: Sender,
        base: str,
        *,
        auth: Auth,
        meanings: Meanings,
    ) -> None:
        self._client = client
        self._sender = sender
        self._base = base
        self._origin = _origin(httpx.URL(base))
        self._auth = auth
        self._meanings = meanings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; threads still at work give up at their next try."""
        self._sender.closed = True
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
        answer = self._sender.answer(ask, {})
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
        answer = self._sender.answer(ask, credential)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._auth.renew(credential):
            answer = self._sender.answer(ask, self._auth.headers(self))
        judge(ask, answer, self._meanings)
        return answer


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
