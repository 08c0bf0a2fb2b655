"""The HTTP machinery: on answers in memory where that shows it, on raw sockets where only these can."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from connectors._auth import Auth, FetchedToken, FixedHeaders, Token, basic, bearer
from connectors._connector import SourceSettings
from connectors._http import Answer, Api, Meanings, RateLimit, open_api
from connectors._network import proxy_for
from connectors._sending import TRIES
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
from tests.connectors.walking import Clock
from tests.servers.raw import drip, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BASE = "https://mdm.example"
KEY = FixedHeaders({"X-Key": "very-secret"})


def settings(**keys: object) -> SourceSettings:
    return SourceSettings.model_validate({"name": "hq", "kind": "made-up", **keys})


def body(answer: Answer) -> bytes:
    return answer.body


def number(answer: Answer) -> int:
    return int(answer.body)


class Script:
    """Gives the answers in turn, the last one for ever, and keeps the requests with their time."""

    def __init__(self, clock: Clock, *answers: httpx.Response | Exception) -> None:
        self._clock = clock
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(self._clock.now())
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def api_with(
    script: Callable[[httpx.Request], httpx.Response], clock: Clock, auth: Auth = KEY, **keys: object
) -> Api:
    return open_api(settings(**keys), BASE, clock.around(httpx.MockTransport(script)), auth)


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={key.replace("_", "-"): value for key, value in headers.items()})


OK = httpx.Response(200, content=b"7")


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_passing_trouble_is_waited_out(code: int) -> None:
    """A server that recovers costs some waiting and nothing else."""
    clock = Clock()
    script = Script(clock, status(code), status(code), OK)
    assert api_with(script, clock).get("/list", number) == 7
    assert len(script.requests) == 3
    assert 0.75 <= clock.waits[0] <= 1
    assert 1.5 <= clock.waits[1] <= 2


@pytest.mark.parametrize(
    ("retry_after", "date", "least", "most"),
    [
        ("17", None, 17, 17),
        ("Mon, 02 Mar 2026 12:00:40 GMT", "Mon, 02 Mar 2026 12:00:00 GMT", 40, 40),
        ("Mon, 02 Mar 2015 12:00:40 GMT", "Mon, 02 Mar 2015 12:00:00 GMT", 40, 40),
        ("Mon, 02 Mar 2026 11:00:00 GMT", "Mon, 02 Mar 2026 12:00:00 GMT", 0.75, 1),
        ("0", None, 0.75, 1),
        ("-5", None, 0.75, 1),
        ("soon", None, 0.75, 1),
        ("nan", None, 0.75, 1),
    ],
)
def test_retry_after_is_kept(retry_after: str, date: str | None, least: float, most: float) -> None:
    """No request goes out before the stated time, by the server's clock; nonsense means the usual pause."""
    clock = Clock()
    dated = {"date": date} if date else {}
    script = Script(clock, status(429, retry_after=retry_after, **dated), OK)
    assert api_with(script, clock).get("/list", number) == 7
    assert least <= script.times[1] - script.times[0] <= most


@pytest.mark.parametrize("retry_after", ["1000000000", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_pause_ends_the_source_at_once(retry_after: str) -> None:
    """A pause longer than the source may last is not waited for."""
    clock = Clock()
    script = Script(clock, status(503, retry_after=retry_after))
    with pytest.raises(Throttled, match="deadline_minutes"):
        api_with(script, clock).get("/list", number)
    assert clock.waits == []


def test_a_pause_holds_every_thread() -> None:
    """What throttles one request holds the others of the same source too."""
    clock = Clock()
    script = Script(clock, status(429, retry_after="30"), OK)
    api = api_with(script, clock)
    api.get("/one", number)
    api.get("/two", number)
    assert script.times == [100, 130, 130]


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        (status(429), Throttled, TRIES),
        (status(503), ServerTrouble, TRIES),
        (status(500), ServerTrouble, 1),
        (status(501), ServerTrouble, 1),
        (httpx.ReadError("reset"), Unreachable, TRIES),
        (httpx.RemoteProtocolError("cut"), Unreachable, TRIES),
        (httpx.ReadTimeout("slow"), Unreachable, 3),
        (httpx.ConnectError("no route"), Unreachable, 3),
        (httpx.ConnectTimeout("silence"), Unreachable, 3),
        (httpx.ProxyError("407 no"), Unreachable, 3),
        (httpx.LocalProtocolError("Illegal header value b'very-secret'"), AuthRefused, 1),
        (status(401), AuthRefused, 1),
        (status(403), PermissionMissing, 1),
        (status(404), NotFound, 1),
        (status(405), BadAnswer, 1),
        (status(418), BadAnswer, 1),
    ],
)
def test_lasting_trouble_becomes_one_of_our_errors(
    answer: httpx.Response | Exception, error: type[SourceError], tries: int
) -> None:
    """Each failure has its error, costs a bounded number of requests, and tells host and no secret."""
    clock = Clock()
    script = Script(clock, answer)
    with pytest.raises(error) as caught:
        api_with(script, clock).get("/list", number, permission="Read Things")
    assert len(script.requests) == tries
    assert "mdm.example" in str(caught.value)
    assert "very-secret" not in repr(caught.value)
    assert "\n" not in str(caught.value)


def test_a_storm_of_a_minute_is_survived() -> None:
    """A server that is down for 60 seconds is asked seldom and then read."""
    clock = Clock()

    def stormy(request: httpx.Request) -> httpx.Response:
        return OK if clock.now() >= 160 else status(503)

    assert api_with(stormy, clock).get("/list", body) == b"7"


def test_missing_permission_is_named() -> None:
    """A 403 says which permission to grant, in the vendor's words."""
    clock = Clock()
    with pytest.raises(PermissionMissing, match='grant "Read Things"'):
        api_with(Script(clock, status(403)), clock).get("/list", body, permission="Read Things")


def test_a_permission_with_quotes_of_its_own_gets_no_others() -> None:
    """The name can be copied from the message as the vendor writes it."""
    clock = Clock()
    with pytest.raises(PermissionMissing, match='grant Thing::"view" to it'):
        api_with(Script(clock, status(403)), clock).get("/list", body, permission='Thing::"view"')


@pytest.mark.parametrize("code", [405, 429, 503])
def test_a_status_with_a_meaning_of_its_own_is_final(code: int) -> None:
    """What a vendor means by it is the error, at once; its other statuses keep their meaning."""
    clock = Clock()
    script = Script(clock, status(code), status(404))
    meanings: Meanings = {code: lambda place: PermissionMissing(f"{place}: tick Read")}
    api = open_api(settings(), BASE, clock.around(httpx.MockTransport(script)), KEY, meanings=meanings)
    with pytest.raises(PermissionMissing, match=r"^mdm\.example/list: tick Read$"):
        api.get("/list", body)
    assert len(script.requests) == 1
    with pytest.raises(NotFound):
        api.get("/list", body)


def test_server_trouble_carries_its_status() -> None:
    """Callers can tell a 500 from a 503."""
    clock = Clock()
    with pytest.raises(ServerTrouble) as caught:
        api_with(Script(clock, status(500)), clock).get("/list", body)
    assert caught.value.status == 500


def test_the_source_has_a_deadline() -> None:
    """After deadline_minutes no further request goes out."""
    clock = Clock()
    script = Script(clock, OK)
    api = api_with(script, clock, deadline_minutes=1)
    api.get("/list", body)
    clock.seconds += 61
    with pytest.raises(Unreachable, match="deadline_minutes"):
        api.get("/list", body)
    assert len(script.requests) == 1


def test_the_run_has_a_deadline() -> None:
    """Where the whole run's time is up first, no further request goes out, and that setting is named."""
    clock = Clock()
    script = Script(clock, OK)
    around = replace(clock.around(httpx.MockTransport(script)), ends=clock.seconds + 5)
    api = open_api(settings(), BASE, around, KEY)
    api.get("/list", body)
    clock.seconds += 5
    with pytest.raises(Unreachable, match=r"time of the whole run was up; raise \[run\] deadline_minutes"):
        api.get("/list", body)
    assert len(script.requests) == 1


def test_retries_are_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """The log names source, path, status and pause, and nothing of query, header or body."""
    clock = Clock()
    answer = httpx.Response(429, headers={"retry-after": "3"}, content=b"private")
    with caplog.at_level(logging.WARNING, logger="connectors"):
        api_with(Script(clock, answer, OK), clock).get("/list", body, params=[("who", "someone")])
    assert "source=hq path=/list status=429 wait=3" in caplog.text
    assert not any(word in caplog.text for word in ("private", "someone", "very-secret"))


@pytest.mark.parametrize(
    ("code", "location", "named"),
    [
        (302, "https://login.evil.example/x?a=b", "https://login.evil.example:"),
        (301, "http://mdm.example/list", "http://mdm.example:"),
        (307, "/elsewhere", "https://mdm.example:"),
        (303, "", "https://mdm.example:"),
    ],
)
def test_redirects_are_refused(code: int, location: str, named: str) -> None:
    """A redirect names where it pointed to, is not followed and not repeated."""
    clock = Clock()
    script = Script(clock, status(code, location=location))
    with pytest.raises(BadAnswer, match="set url") as caught:
        api_with(script, clock).get("/list", body)
    assert named in str(caught.value)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/next",
        "http://mdm.example/next",
        "https://mdm.example:8443/next",
        "@evil.example/",
        "https://u:p@mdm.example/",
    ],
)
def test_no_request_leaves_the_origin(link: str) -> None:
    """A next page on another host, port or scheme is refused before anything is sent."""
    clock = Clock()
    script = Script(clock, OK)
    with pytest.raises(BadAnswer):
        api_with(script, clock).get(link, body)
    assert script.requests == []


def test_a_link_that_only_lost_its_tls_is_named_as_such() -> None:
    """Whoever runs the server learns that its proxy has to tell it of https."""
    clock = Clock()
    with pytest.raises(BadAnswer, match=r"^mdm\.example points .* by http://.*X-Forwarded-Proto"):
        api_with(Script(clock, OK), clock).get("http://mdm.example/next", body)


def test_links_of_the_same_origin_are_followed() -> None:
    """An absolute link keeps its own query, and gets the credential."""
    clock = Clock()
    script = Script(clock, OK)
    api_with(script, clock).get(f"{BASE}:443/next?cursor=a%2Fb&x=1", body)
    assert str(script.requests[0].url) == f"{BASE}/next?cursor=a%2Fb&x=1"
    assert script.requests[0].headers["x-key"] == "very-secret"


def test_repeated_parameters_are_sent_repeatedly() -> None:
    """Two values of one key arrive as two."""
    clock = Clock()
    script = Script(clock, OK)
    api_with(script, clock).get("/list", body, params=[("section", "A"), ("section", "B"), ("page", 0)])
    assert script.requests[0].url.query == b"section=A&section=B&page=0"


def test_no_cookie_is_kept() -> None:
    """A cookie would pin us to one node of the vendor's cluster."""
    clock = Clock()
    script = Script(clock, httpx.Response(200, headers={"set-cookie": "node=1; Path=/"}, content=b"7"))
    api = api_with(script, clock)
    api.get("/list", body)
    api.get("/list", body)
    assert "cookie" not in script.requests[1].headers


@pytest.mark.parametrize(
    ("content", "kind", "requests", "said"),
    [
        (b" <html>sign in, someone</html>", "text/html; charset=utf-8", 1, "200 with text/html .*login page"),
        (b"", "application/json", 2, "200 with application/json .*cut"),
        (b"not a number, someone", "text/plain", 2, "cut or is not its API"),
    ],
)
def test_an_answer_that_is_none(content: bytes, kind: str, requests: int, said: str) -> None:
    """HTML or a cut body is told by status and type and not by content; a cut one is fetched again."""
    clock = Clock()
    script = Script(clock, httpx.Response(200, headers={"content-type": kind}, content=content))
    with pytest.raises(BadAnswer, match=said) as caught:
        api_with(script, clock).get("/list", number)
    assert "someone" not in str(caught.value)
    assert len(script.requests) == requests


def test_a_body_cut_once_costs_nothing() -> None:
    """A body that broke off is whole the second time."""
    clock = Clock()
    script = Script(clock, httpx.Response(200, content=b"7x"), OK)
    assert api_with(script, clock).get("/list", number) == 7


def test_plain_text_may_be_an_answer() -> None:
    """The content type alone condemns nothing: some vendors send JSON as text."""
    clock = Clock()
    script = Script(clock, httpx.Response(200, headers={"content-type": "text/plain"}, content=b"7"))
    assert api_with(script, clock).get("/list", number) == 7


@pytest.mark.parametrize("size", [2_000_000, 900_000_000])
def test_large_bodies_are_refused(size: int) -> None:
    """A body over the cap is refused, a compressed one after a few megabytes and not after all of it."""
    clock = Clock()
    plain = size < 10_000_000
    content = b"0" * size if plain else _bomb(size)
    sent = httpx.Response(
        200, headers={} if plain else {"content-encoding": "gzip"}, stream=httpx.ByteStream(content)
    )
    with pytest.raises(BadAnswer, match="max_body_mb"):
        api_with(lambda _: sent, clock, max_body_mb=1).get("/list", body)


def _bomb(size: int) -> bytes:
    # Members of a gzip file may follow one another, so a large one is made of a small one.
    return gzip.compress(b"0" * 1_000_000, mtime=0) * (size // 1_000_000)


def test_a_bomb_is_never_held_in_memory() -> None:
    """A body that swells a thousandfold costs a few megabytes until it is refused."""
    clock, packer = Clock(), zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(64)) + packer.flush()
    sent = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(bomb))
    api = api_with(lambda _: sent, clock, max_body_mb=2)
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswer, match="max_body_mb"):
            api.get("/list", body)
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


class _Pieces(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), 7):
            yield self._content[start : start + 7]


@pytest.mark.parametrize("content", [b"", b"7", b"12" * 3_000_000])
def test_compressed_bodies_arrive_whole(content: bytes) -> None:
    """Inflating piece by piece loses nothing."""
    clock = Clock()
    sent = httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=_Pieces(gzip.compress(content, mtime=0))
    )
    assert api_with(lambda _: sent, clock).get("/list", body) == content


@pytest.mark.parametrize("damage", [gzip.compress(b"7" * 1000, mtime=0)[:-12], b"no gzip at all", b""])
def test_a_damaged_compressed_body_is_no_answer(damage: bytes) -> None:
    """A compressed body that broke off or is none is asked for again, and then an error."""
    clock = Clock()

    def damaged(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=_Pieces(damage))

    with pytest.raises(Unreachable, match="broke the connection off"):
        api_with(damaged, clock).get("/list", body)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://mdm.example", "https://"),
        ("ftp://mdm.example", "https://"),
        ("mdm.example", "https://"),
        ("https://", "https://"),
        ("https://user:pw@mdm.example", "user name"),
        ("https://mdm.example/?a=1", "nothing after"),
        ("https://[", "https://"),
        ("https://mdm.example\n", "not a URL"),
    ],
)
def test_addresses_that_cannot_be_used(url: str, said: str) -> None:
    """An address that would send a credential in the clear, or is none, stops before the first request."""
    with pytest.raises(SettingsError, match=said):
        open_api(settings(), url, Clock().around(httpx.MockTransport(lambda _: OK)))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/api/", "http://localhost", "http://[::1]:9", "https://mdm.example:8443"]
)
def test_addresses_that_can(url: str) -> None:
    """Plain HTTP is for this machine; a path and a port are fine."""
    clock = Clock()
    script = Script(clock, OK)
    open_api(settings(), url, clock.around(httpx.MockTransport(script))).get("/list", body)
    assert str(script.requests[0].url) == url.rstrip("/") + "/list"


@pytest.mark.parametrize("verify", [False, "/nowhere/ca.pem"])
def test_verification_cannot_be_lost(verify: object) -> None:
    """Neither switched off nor by a bundle that is not there."""
    with pytest.raises(SettingsError, match="verify"):
        open_api(settings(verify=verify), BASE, Clock().around())


# Credentials


def test_basic_is_utf_8() -> None:
    """A password may hold any letter."""
    assert basic("é", "ü:x").values == {"Authorization": "Basic w6k6w7w6eA=="}


class Tokens:
    """Issues tokens in turn; `accepts` is what the API takes."""

    def __init__(self, lifetime: float | None = 600) -> None:
        self.issued = 0
        self.lifetime = lifetime
        self.accepts: str | None = None
        self.refuse = False

    def fetch(self, _: Api) -> Token:
        self.issued += 1
        if self.refuse:
            raise AuthRefused("mdm.example refused the credential")
        return bearer(f"t{self.issued}", self.lifetime)

    def answer(self, request: httpx.Request) -> httpx.Response:
        sent = request.headers.get("authorization")
        return OK if self.accepts is None or sent == f"Bearer {self.accepts}" else status(401)


@pytest.mark.parametrize(
    ("lifetime", "kept", "replaced"),
    [(600, 539, 541), (60, 47, 49), (100, 79, 81), (None, 239, 241), (0, None, 0.001), (-50, None, 0.001)],
)
def test_tokens_are_renewed_before_their_end(
    lifetime: float | None, kept: float | None, replaced: float
) -> None:
    """The margin is a minute or a fifth of the lifetime, counted from when the token was asked for."""
    clock, tokens = Clock(), Tokens(lifetime)
    api = api_with(tokens.answer, clock, FetchedToken(tokens.fetch, clock.now))
    api.get("/list", body)
    if kept is not None:
        clock.seconds = 100 + kept
        api.get("/list", body)
        assert tokens.issued == 1
    clock.seconds = 100 + replaced
    api.get("/list", body)
    assert tokens.issued == 2


def test_many_threads_renew_a_refused_token_once() -> None:
    """Ten requests that meet a 401 with the same token cost one new token, and each is repeated."""
    clock, tokens = Clock(), Tokens()
    api = api_with(tokens.answer, clock, FetchedToken(tokens.fetch, clock.now))
    api.sign_in()
    tokens.accepts = "t2"
    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(api.get, "/list", number) for _ in range(10)]
    assert [answer.result() for answer in answers] == [7] * 10
    assert tokens.issued == 2


def test_a_late_refusal_of_an_old_token_changes_nothing() -> None:
    """A thread that hears of the old token's end after another renewed it goes on with the new one."""
    clock, tokens = Clock(), Tokens()
    token = FetchedToken(tokens.fetch, clock.now)
    api = api_with(tokens.answer, clock, token)
    old = token.headers(api)
    assert token.renew(old)
    new = token.headers(api)
    assert token.renew(old)
    assert token.headers(api) == new != old
    assert tokens.issued == 2


def test_a_second_refusal_is_final() -> None:
    """A fresh token that is refused as well ends the source after two requests."""
    clock, tokens = Clock(), Tokens()
    tokens.accepts = "never"
    script = Script(clock, status(401))
    with pytest.raises(AuthRefused):
        api_with(script, clock, FetchedToken(tokens.fetch, clock.now)).get("/list", body)
    assert len(script.requests) == 2


def test_a_refused_credential_is_not_offered_again() -> None:
    """However many threads want a token, a wrong credential is sent once."""
    clock, tokens = Clock(), Tokens()
    tokens.refuse = True
    api = api_with(tokens.answer, clock, FetchedToken(tokens.fetch, clock.now))
    for _ in range(5):
        with pytest.raises(AuthRefused):
            api.get("/list", body)
    assert tokens.issued == 1


@pytest.mark.parametrize("code", [400, 401, 403])
def test_an_exchange_that_fails_is_a_refusal(code: int) -> None:
    """Vendors answer a wrong secret with any of these; the key of the API is not sent along."""
    clock = Clock()
    script = Script(clock, status(code))
    with pytest.raises(AuthRefused):
        api_with(script, clock).exchange("/token", body, form={"secret": "x"})
    assert len(script.requests) == 1
    assert "x-key" not in script.requests[0].headers


def test_a_credential_may_travel_as_json() -> None:
    """Some vendors take no form; the answer is read as that of any other exchange."""
    clock = Clock()
    script = Script(clock, OK)
    assert api_with(script, clock).exchange("/token", number, json={"secret": "x"}) == 7
    assert json.loads(script.requests[0].content) == {"secret": "x"}
    assert "x-key" not in script.requests[0].headers


def test_a_rate_limit_spreads_requests() -> None:
    """Three in a burst, then one every two seconds."""
    clock = Clock()
    limit = RateLimit(3, 6, clock.around())
    times: list[float] = []
    for _ in range(6):
        limit.wait()
        times.append(clock.now() - 100)
    assert times == pytest.approx([0, 0, 0, 2, 4, 6])


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://p.example:3128"}, "http://p.example:3128"),
        ({"https_proxy": "p.example:3128"}, "http://p.example:3128"),
        ({"all_proxy": "http://p.example"}, "http://p.example"),
        ({"https_proxy": "http://p.example", "no_proxy": "mdm.example"}, None),
        ({"http_proxy": "http://p.example"}, None),
    ],
)
def test_proxies_of_the_environment(
    env: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual variables are obeyed."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(httpx.URL(BASE)) == proxy


# Real sockets


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"1"),
        (b"", b""),
    ],
    ids=["headers", "body", "silence"],
)
def test_a_drip_meets_the_deadline(first: bytes, drop: bytes) -> None:
    """A server that sends a byte now and then is given up after timeout_seconds, in headers as in the body."""
    clock = Clock()
    with listening(lambda connection: drip(connection, first, drop)) as port:
        api = open_api(settings(timeout_seconds=0.3), f"http://127.0.0.1:{port}", clock.around())
        started = time.monotonic()
        with api, pytest.raises(Unreachable, match="timeout_seconds"):
            api.get("/list", body)
    assert time.monotonic() - started < 6


@pytest.mark.parametrize(
    "cut",
    [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n123"],
    ids=["nothing", "head", "body"],
)
def test_a_broken_connection_is_tried_again(cut: bytes) -> None:
    """A connection that ends early, anywhere, is opened anew and the answer is whole."""
    clock = Clock()
    answers = [cut, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7"]
    with (
        listening(lambda connection: connection.sendall(answers.pop(0))) as port,
        open_api(settings(), f"http://127.0.0.1:{port}", clock.around()) as api,
    ):
        assert api.get("/list", number) == 7
    assert len(clock.waits) == 1


def test_a_refused_connection_is_told() -> None:
    """Where nobody listens, host and remedy are named after three tries."""
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        open_api(settings(), f"http://127.0.0.1:{port}", clock.around()) as api,
        pytest.raises(Unreachable, match=r"127\.0\.0\.1 refuses the connection: check url"),
    ):
        api.get("/list", body)
    assert len(clock.waits) == 2


def _install(leaf: trustme.LeafCert, context: ssl.SSLContext) -> None:
    leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it also takes what is not installed


def _present(kind: str, ca: trustme.CA, context: ssl.SSLContext, directory: Path) -> None:
    match kind:
        case "expired":
            _install(ca.issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC)), context)
        case "wrong host":
            _install(ca.issue_cert("other.example"), context)
        case "self-signed":
            both = directory / "own.pem"
            both.write_bytes(ca.cert_pem.bytes() + ca.private_key_pem.bytes())
            context.load_cert_chain(both)
        case _:
            _install(ca.issue_cert("localhost"), context)


@pytest.mark.parametrize(
    ("kind", "trusted", "said"),
    [
        ("expired", True, "its certificate has expired"),
        ("wrong host", True, "its certificate is for another host name"),
        ("good", False, "name its CA bundle in verify"),
        ("self-signed", False, "its certificate is self-signed"),
    ],
)
def test_certificates_that_cannot_be_trusted(kind: str, trusted: bool, said: str, tmp_path: Path) -> None:
    """The error names host and cause, nothing is retried, and verification is never given up."""
    clock, ca = Clock(), trustme.CA()
    bundle = tmp_path / "ca.pem"
    (ca if trusted else trustme.CA()).cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _present(kind, ca, context, tmp_path)
    reached: list[bool] = []
    with (
        listening(lambda _: reached.append(True), context) as port,
        open_api(settings(verify=str(bundle)), f"https://localhost:{port}", clock.around()) as api,
        pytest.raises(Unreachable, match=said) as caught,
    ):
        api.get("/list", body)
    assert "localhost cannot be trusted" in str(caught.value)
    assert not reached
    assert not clock.waits


def test_a_named_bundle_is_enough(tmp_path: Path) -> None:
    """An authority of the house is trusted once its bundle is named."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _install(ca.issue_cert("localhost"), context)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7"
    trusting = settings(verify=tmp_path / "ca.pem")
    with (
        listening(lambda connection: connection.sendall(answer), context) as port,
        open_api(trusting, f"https://localhost:{port}", Clock().around()) as api,
    ):
        assert api.get("/list", number) == 7


def test_plain_http_where_tls_was_due_is_told() -> None:
    """A server that speaks no TLS at that port is named with the remedy, once."""
    clock = Clock()
    with (
        listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port,
        open_api(settings(), f"https://localhost:{port}", clock.around()) as api,
        pytest.raises(Unreachable, match=r"speaks no TLS that we accept .*check url and port"),
    ):
        api.get("/list", body)
    assert not clock.waits
