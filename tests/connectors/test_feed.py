"""A public feed asked over real sockets: what is kept, what is asked again, and what goes wrong without harm."""

from __future__ import annotations

import gzip
import socket
import ssl
import stat
import time
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from connectors import _feed_sofa
from connectors._feed import Feed, Look, Manners, look
from connectors._feed_cache import Cache
from connectors._feed_root import public_context
from connectors._feeds import Errand
from tests.servers.apple import NEWEST, AppleServer, body, sofa_feed, sofa_release
from tests.servers.loopback import Reply
from tests.servers.raw import drip, listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fleet.apple.joining import Tidings
    from tests.servers.loopback import Asked

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


@dataclass
class Asker:
    """An admin's machine with its folder of what feeds said last."""

    folder: Path
    now: datetime = NOW
    seconds: float = 5.0
    bundle: Path | None = None
    read: Callable[[bytes, datetime], Tidings] = field(default=_feed_sofa.read)

    def ask(self, url: str) -> Look[Tidings]:
        """Ask once."""
        return look(self.feed(url), self.manners)

    def feed(self, url: str) -> Feed[Tidings]:
        """The feed at that address."""
        return Feed(
            name="sofa", title="SOFA", url=url, read=self.read, trust=lambda: public_context(self.bundle)
        )

    @property
    def manners(self) -> Manners:
        """How it is asked now."""
        return Manners(
            now=self.now, user_agent="fleetkeep/1.2.3", seconds=self.seconds, cache=Cache(self.folder)
        )

    def later(self, **time: float) -> None:
        """Let time go by."""
        self.now += timedelta(**time)


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    """A machine that never asked before."""
    return Asker(tmp_path / "apple")


def versions(found: Look[Tidings]) -> list[str]:
    """What the feed told of."""
    assert found.content is not None, found.problem
    return [release.version for release in found.content.releases]


def test_a_feed_is_asked_in_our_own_name(asker: Asker) -> None:
    """The server learns who asks, and nothing else; the answer is as of now."""
    with AppleServer() as server:
        found = asker.ask(f"{server.url}/sofa")
    assert (versions(found), found.at, found.problem) == (["27.0.1"], NOW, "")
    (asked,) = server.asked
    assert asked.headers["user-agent"] == "fleetkeep/1.2.3"
    assert not {"cookie", "authorization", "if-none-match", "if-modified-since"} & asked.headers.keys()


def test_not_more_often_than_once_an_hour(asker: Asker) -> None:
    """Within the hour the last answer serves; after it the server is asked again. A clock set back asks too."""
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
        asker.later(minutes=59, seconds=59)
        within = asker.ask(f"{server.url}/sofa")
        assert (versions(within), within.at, within.asked) == (["27.0.1"], NOW, False)
        assert server.count("/sofa") == 1
        asker.later(seconds=1)
        assert asker.ask(f"{server.url}/sofa").asked
        asker.later(days=-2)
        assert asker.ask(f"{server.url}/sofa").asked
        assert server.count("/sofa") == 3


def test_what_has_not_changed_is_not_sent_again(asker: Asker) -> None:
    """ETag and date go back to the server; its 304 makes what is kept as good as new."""
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
        asker.later(days=1)
        found = asker.ask(f"{server.url}/sofa")
    assert (versions(found), found.at, found.problem) == (["27.0.1"], NOW + timedelta(days=1), "")
    again = server.asked[-1].headers
    assert again["if-none-match"].startswith('"')
    assert again["if-modified-since"] == "Sun, 22 Nov 2026 18:45:00 GMT"


def test_a_feed_that_is_stored_compressed(asker: Asker) -> None:
    """SOFA's host sends what it stores, compressed, whether one asked for that or not."""
    packed = Reply(200, gzip.compress(body(sofa_feed([NEWEST]))), {**JSON, "Content-Encoding": "gzip"})
    with AppleServer() as server:
        server.instead = _instead(packed)
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.0.1"]


def test_a_server_that_names_no_version_is_asked_without_condition(asker: Asker) -> None:
    """Apple's lookup has no ETag of its own: the whole answer comes every time."""
    with AppleServer() as server:
        server.instead = _instead(Reply(200, body(sofa_feed([NEWEST])), JSON))
        asker.ask(f"{server.url}/sofa")
        asker.later(days=1)
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.0.1"]
    assert not {"if-none-match", "if-modified-since"} & server.asked[-1].headers.keys()


def test_what_has_changed_takes_its_place(asker: Asker) -> None:
    """A new answer is read, and the next condition is about that one."""
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
        server.bodies["sofa"] = body(sofa_feed([sofa_release("27.1", "2026-11-02", "iPhone12,1"), NEWEST]))
        asker.later(days=1)
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.1", "27.0.1"]
        asker.later(days=1)
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.1", "27.0.1"]
    assert server.asked[-1].headers["if-none-match"] != server.asked[-2].headers["if-none-match"]


def test_another_address_starts_from_nothing(asker: Asker) -> None:
    """What one server said is no answer of another."""
    with AppleServer() as server, AppleServer() as mirror:
        asker.ask(f"{server.url}/sofa")
        asker.ask(f"{mirror.url}/sofa")
    assert "if-none-match" not in mirror.asked[0].headers


def _instead(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda _: reply


BOMB = zlib.compress(b"0" * 64_000_000, wbits=31)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(500, b"stack trace with a secret"), "127.0.0.1/sofa answered with 500"),
        (Reply(429, b"", {"Retry-After": "999999"}), "answered with 429"),
        (Reply(404, b""), "answered with 404"),
        (Reply(204, b""), "answered with 204"),
        (Reply(304, b""), "answered with 304"),
        (Reply(302, b"", {"Location": "https://evil.example/"}), "redirects to another address"),
        (Reply(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}), "a login page"),
        (Reply(200, body(sofa_feed([NEWEST]))[:-40], JSON), "cannot be read: it is cut, or no JSON"),
        (Reply(200, b"", JSON), "it is cut, or no JSON"),
        (Reply(200, b"{}", JSON), "not the v2 feed"),
        (Reply(200, b"[" * 500_000, JSON), "it is cut, or no JSON"),
        (
            Reply(200, gzip.compress(b"0" * 100)[:-9], {**JSON, "Content-Encoding": "gzip"}),
            "broke the connection off",
        ),
        (Reply(200, BOMB, {**JSON, "Content-Encoding": "gzip"}), "more than 8 MB; this is not the feed"),
        (Reply(200, b"0" * 8_000_001, JSON), "more than 8 MB"),
        (Reply(200, b"x", {**JSON, "Content-Encoding": "br"}), "an encoding that was not asked for"),
    ],
)
def test_a_bad_answer_is_one_sentence(asker: Asker, reply: Reply, why: str) -> None:
    """Whatever the server sends, nothing of it is believed or quoted, and the sentence says what is wrong."""
    with AppleServer() as server:
        server.instead = _instead(reply)
        found = asker.ask(f"{server.url}/sofa")
    assert found.content is None
    assert why in found.problem
    assert "\n" not in found.problem
    assert "secret" not in found.problem


@pytest.mark.parametrize("status", [500, 200])
def test_a_bad_answer_costs_nothing_that_was_known(asker: Asker, status: int) -> None:
    """The last good answer stays, with the condition that belongs to it, and no server is pestered for it."""
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
        asker.later(days=1)
        server.instead = _instead(Reply(status, b"<html>"))
        assert asker.ask(f"{server.url}/sofa").problem
        asker.later(minutes=5)
        remembered = asker.ask(f"{server.url}/sofa")
        assert "at 02:00 UTC, and it is not asked twice within an hour" in remembered.problem
        assert server.count("/sofa") == 2
        server.instead = lambda _: None
        asker.later(hours=1)
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.0.1"]
    assert "if-none-match" in server.asked[-1].headers


def test_nobody_there(asker: Asker) -> None:
    """A server that cannot be reached was not asked: the next run may try again at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "127.0.0.1 refuses the connection" in asker.ask(f"http://127.0.0.1:{port}/sofa").problem
    assert not asker.folder.exists()


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"1"),
        (b"", b""),
    ],
    ids=["headers", "body", "silence"],
)
def test_a_drip_is_given_up(asker: Asker, first: bytes, drop: bytes) -> None:
    """A byte now and then keeps nobody waiting: the deadline is for the whole answer."""
    asker.seconds = 0.3
    started = time.monotonic()
    with listening(lambda connection: drip(connection, first, drop)) as port:
        found = asker.ask(f"http://127.0.0.1:{port}/sofa")
    assert found.problem == "127.0.0.1 gave no whole answer in 0.3 s"
    assert time.monotonic() - started < 6


@pytest.mark.parametrize(
    "cut",
    [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n123"],
    ids=["nothing", "head", "body"],
)
def test_a_broken_connection(asker: Asker, cut: bytes) -> None:
    """An answer that breaks off is none."""
    with listening(lambda connection: connection.sendall(cut)) as port:
        assert "broke the connection off" in asker.ask(f"http://127.0.0.1:{port}/sofa").problem


def test_an_answer_without_length_that_breaks_off(asker: Asker) -> None:
    """Where nothing tells how long it should be, its JSON does."""
    half = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body(sofa_feed([NEWEST]))[:200]
    with listening(lambda connection: connection.sendall(half)) as port:
        assert "it is cut, or no JSON" in asker.ask(f"http://127.0.0.1:{port}/sofa").problem


@pytest.mark.parametrize(("trusted", "said"), [(True, ""), (False, "its certificate comes from")])
def test_a_certificate_of_a_stranger_is_refused(
    asker: Asker, tmp_path: Path, *, trusted: bool, said: str
) -> None:
    """The right authority is believed, another never, and not one byte is asked of that server."""
    ours, bundle = trustme.CA(), tmp_path / "ca.pem"
    (ours if trusted else trustme.CA()).cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    content = body(sofa_feed([NEWEST]))
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content
    asker.bundle = bundle
    with listening(lambda connection: connection.sendall(answer), context) as port:
        found = asker.ask(f"https://localhost:{port}/sofa")
    assert (found.content is not None) is trusted
    assert said in found.problem


def test_what_is_kept_is_private_and_whole(asker: Asker) -> None:
    """Nobody else reads it, and nothing half-written lies beside it."""
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
    assert [file.name for file in asker.folder.iterdir()] == ["sofa.feed"]
    assert stat.S_IMODE(asker.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((asker.folder / "sofa.feed").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\n",
        b"[]\n{}",
        b'{"url": 1}\n',
        b'{"asked_at": null, "good_at": null}\n',
        b"\xff\xfe\n",
        b"{}" * 9,
    ],
)
def test_a_damaged_file_is_as_none(asker: Asker, damage: bytes) -> None:
    """What cannot be read back is asked for again."""
    asker.folder.mkdir()
    (asker.folder / "sofa.feed").write_bytes(damage)
    with AppleServer() as server:
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.0.1"]


def test_a_cut_file_is_no_reason_for_a_304(asker: Asker) -> None:
    """Where the kept answer is cut, the whole one is asked for, without a condition."""
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
        kept = asker.folder / "sofa.feed"
        kept.write_bytes(kept.read_bytes()[:-30])
        asker.later(days=1)
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.0.1"]
    assert "if-none-match" not in server.asked[-1].headers


def test_a_folder_that_cannot_be_written_costs_nothing(
    asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer counts tonight; that it cannot be kept is in the log."""
    asker.folder.write_text("a file in the way")
    with AppleServer() as server:
        assert versions(asker.ask(f"{server.url}/sofa")) == ["27.0.1"]
    assert "cache_not_written" in caplog.text


def test_an_etag_that_cannot_be_sent_back(asker: Asker) -> None:
    """A server's own header does no harm when it is repeated."""
    asker.folder.mkdir()
    with AppleServer() as server:
        asker.ask(f"{server.url}/sofa")
        kept = asker.folder / "sofa.feed"
        kept.write_bytes(kept.read_bytes().replace(b'"etag": "', b'"etag": "\\n\\u2713'))
        asker.later(days=1)
        assert "cannot be sent back" in asker.ask(f"{server.url}/sofa").problem


def _silent(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.recv(1)


def test_nobody_waits_long_for_feeds(asker: Asker) -> None:
    """Feeds are asked side by side; one that never answers is left behind when the time is up."""
    asker.seconds = 1.5
    with AppleServer() as server, listening(_silent) as port:
        started = time.monotonic()
        slow = replace(asker.feed(f"http://127.0.0.1:{port}/slow"), name="slow")
        looks = Errand([slow, asker.feed(f"{server.url}/sofa")], asker.manners, time.monotonic).looks()
        assert time.monotonic() - started < 6
    assert [one.feed for one in looks] == ["slow", "sofa"]
    assert looks[0].problem == "127.0.0.1 gave no whole answer in 1.5 s"
    assert versions(looks[1]) == ["27.0.1"]


def test_a_bug_in_one_feed_costs_no_other(asker: Asker, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw is a sentence too, and the way there is in the log."""

    def broken(_body: bytes, _at: datetime) -> Tidings:
        raise ZeroDivisionError

    with AppleServer() as server:
        good = asker.feed(f"{server.url}/sofa")
        bad = replace(good, name="bad", read=broken)
        looks = Errand([bad, good], asker.manners, time.monotonic).looks()
    assert "a bug of ours (ZeroDivisionError)" in looks[0].problem
    assert versions(looks[1]) == ["27.0.1"]
    assert "feed_broke feed=bad" in caplog.text
