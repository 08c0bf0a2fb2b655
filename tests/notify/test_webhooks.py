"""Slack, Teams, signed webhooks and pings, through a real HTTP server on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import trustme
from pydantic import SecretStr

from fleet.cli import notices
from fleet.errors import Undelivered
from reports.notify import news, ping, slack, teams, webhook
from reports.notify._channel import Outside
from reports.notify._delivery import PAUSES, deliver
from reports.notify.registry import CHANNELS
from tests.notify.messages import HOSTILE, NOW, Patience, a_message, an_entry, outside
from tests.servers.loopback import Asked, Loopback, Reply

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from reports.notify._channel import ChannelSettings
    from reports.notify._message import Message
    from tests.fleet_of import Value

PATH = "/services/T000/canary-path"
HOSTILE_NIGHT = a_message(
    an_entry(where=(HOSTILE, "FK0001"), summary=f"It says {HOSTILE}"), report_url="https://r.example/a|b>c&d/"
)


class Post(Loopback):
    """An address that answers with each of `answers` in turn, and then with 200."""

    def __init__(self, *answers: Reply) -> None:
        super().__init__()
        self.answers = list(answers)

    def route(self, asked: Asked) -> Reply:
        """The next answer."""
        return self.answers.pop(0) if self.answers else Reply(200, asked.method.encode())


def keys(kind: str, url: str, **more: Value) -> ChannelSettings:
    """Settings of a channel at that address."""
    given: dict[str, Value] = {"name": "ops", "kind": kind, "url": SecretStr(url), **more}
    if kind == "webhook":
        given.setdefault("secret", SecretStr("made-up-key"))
    return CHANNELS[kind].settings(**given)


def sent(kind: str, message: Message, **more: Value) -> Asked:
    """The request that the channel makes of a message."""
    with Post() as server:
        CHANNELS[kind].send(keys(kind, server.url + PATH, **more), message, outside())
    (asked,) = server.asked
    assert (asked.path, asked.headers["user-agent"]) == (PATH, "fleetkeep/test")
    return asked


def body(asked: Asked) -> Value:
    """What was sent, as JSON."""
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    return json.loads(asked.body)


def every_text(value: Value) -> list[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, dict | list):
        return []
    children: Value = value.values() if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType]
    return [text for child in children for text in every_text(child)]


def test_slack() -> None:
    """Slack gets one message of blocks, with the headline in front and as the text of the pop-up."""
    found = body(sent("slack", a_message()))
    assert found["text"] == "Contoso backups: 3 new, 9 fixed, 1 source incomplete"
    first, *rest = found["blocks"]
    assert first == {
        "type": "header",
        "text": {"type": "plain_text", "text": "3 new, 9 fixed, 1 source incomplete", "emoji": False},
    }
    texts = every_text(rest)
    assert (
        "new: high · iCloud Backup is off · Ward 3 iPad · FK0001 · HQ\niCloud Backup is switched off."
        in texts
    )
    assert {"… and 2 more", "school: partial. page 5 is HTML"} <= set(texts)
    assert "<https://reports.example/index.html|Open the report>" in texts
    assert not found["unfurl_links"]


def test_slack_reads_no_markup_in_names() -> None:
    """Names of devices stand in plain text alone; mrkdwn holds our own link, escaped as Slack asks."""
    found = body(sent("slack", HOSTILE_NIGHT))
    markup = [block["text"] for block in found["blocks"] if block.get("text", {}).get("type") == "mrkdwn"]
    assert markup == [{"type": "mrkdwn", "text": "<https://r.example/a%7Cb&gt;c&amp;d/|Open the report>"}]
    assert "Evil" not in found["text"]
    assert any("<!channel>" in text for text in every_text(found["blocks"]))
    assert all(block["text"].get("emoji") is not True for block in found["blocks"] if "text" in block)


def test_teams() -> None:
    """A workflow gets a message with one Adaptive Card, and a button that opens the report."""
    found = body(sent("teams", a_message()))
    (attachment,) = found["attachments"]
    assert (found["type"], attachment["contentType"]) == (
        "message",
        "application/vnd.microsoft.card.adaptive",
    )
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][0]["inlines"][0]["text"] == "3 new, 9 fixed, 1 source incomplete"
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open the report", "url": "https://reports.example/index.html"}
    ]
    assert "iCloud Backup is off · Ward 3 iPad · FK0001 · HQ" in every_text(card["body"])


def test_teams_reads_no_markup_in_names() -> None:
    """Every text is a run, in which Markdown is not read, and no date function survives in one."""
    card = body(sent("teams", HOSTILE_NIGHT))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    texts = every_text(card["body"])
    assert any("Evil" in text for text in texts)
    assert not any("{{" in text for text in texts)


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_a_full_message_is_within_what_chat_takes(kind: str) -> None:
    """Ten findings with the longest names and ten broken sources stay below 50 blocks, 3,000 characters and 28 KB."""
    entry = an_entry(where=("n" * 80, "s" * 80, "x" * 80), title="t" * 80, summary="u" * 240)
    source = replace(a_message().incomplete[0], why="w" * 240)
    full = a_message(*[entry] * 10, incomplete=(source,) * 30, remarks=("r" * 480,) * 5)
    asked = sent(kind, full)
    assert len(asked.body) < 28_000
    assert max(map(len, every_text(body(asked)))) <= 3000
    if kind == "slack":
        assert len(body(asked)["blocks"]) <= 50


def signature(key: bytes, asked: Asked) -> str:
    """What Standard Webhooks says that the signature is, worked out anew."""
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(
    ("secret", "key"),
    [("made-up-key", b"made-up-key"), ("whsec_bWFkZS11cA==", b"made-up")],
    ids=["bytes", "whsec"],
)
def test_a_webhook_is_signed(secret: str, key: bytes) -> None:
    """Whoever knows the secret can prove that the message is ours, whole, and of this minute."""
    asked = sent("webhook", a_message(), secret=SecretStr(secret))
    assert asked.headers["webhook-signature"] == signature(key, asked)
    assert asked.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert asked.headers["webhook-id"] == "run-12-20261122T020000Z-ops"
    found = body(asked)
    assert (found["schema"], found["headline"]) == (
        "fleetkeep.notification/1",
        "3 new, 9 fixed, 1 source incomplete",
    )
    assert found["counts"] == {"new": 3, "reopened": 0, "worse": 0, "fixed": 9, "closed": 0}
    assert (found["run"], found["as_of"], found["omitted"]) == (12, "2026-11-22T02:00:00Z", 2)
    assert found["findings"][0]["key"] == "e" * 32
    assert found["incomplete"] == [{"source": "school", "outcome": "partial", "why": "page 5 is HTML"}]


def test_a_webhook_key_that_is_no_base64() -> None:
    """A secret that is cut short is told as that, and nothing is sent unsigned."""
    with Post() as server, pytest.raises(Undelivered, match="what follows is not Base64"):
        webhook.CHANNEL.send(
            keys("webhook", server.url, secret=SecretStr("whsec_bWFkZS")),  # pyright: ignore[reportArgumentType]
            a_message(),
            outside(),
        )
    assert server.asked == []


@pytest.mark.parametrize(
    ("message", "more", "method", "path", "said"),
    [
        (a_message(), {}, "GET", "/good", b""),
        (a_message(), {"method": "POST"}, "POST", "/good", b"3 new, 9 fixed, 1 source incomplete"),
        (a_message(ok=False), {}, "GET", "/bad", b""),
        (news.broken("Backups", NOW), {"method": "POST"}, "POST", "/bad", b"the run broke"),
    ],
    ids=["good", "good with words", "failed", "broke"],
)
def test_ping(message: Message, more: dict[str, Value], method: str, path: str, said: bytes) -> None:
    """A monitor hears of a good run at one address and of a bad one at the other; by POST with the counts alone."""
    with Post() as server:
        given = keys("ping", f"{server.url}/good", failure_url=SecretStr(f"{server.url}/bad"), **more)
        CHANNELS["ping"].send(given, message, outside())
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [(method, path, said)]


def test_ping_without_an_address_for_failures() -> None:
    """A monitor without one is left to miss the good word."""
    with Post() as server:
        CHANNELS["ping"].send(keys("ping", server.url), a_message(ok=False), outside())
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "headers", "said", "tries"),
    [
        (404, {}, "does not know the address any more; make a new webhook (404)", 1),
        (403, {}, "forbidden (403)", 1),
        (400, {}, "check that url is of this kind of channel (400)", 1),
        (418, {}, "the other side refuses it (418)", 1),
        (302, {"Location": "http://127.0.0.1:1/"}, "points elsewhere (302), which is not followed", 1),
        (503, {}, "has trouble of its own (503)", 4),
        (429, {"Retry-After": "5"}, "asks for patience (429)", 4),
        (429, {"Retry-After": "3600"}, "asks for patience (429)", 1),
    ],
)
def test_what_an_address_refuses(status: int, headers: dict[str, str], said: str, tries: int) -> None:
    """Each refusal has its remedy, names no address, and is tried again within bounds where that can help."""
    patience = Patience()
    with Post(*[Reply(status, b"no", headers)] * 9) as server:
        given = keys("slack", server.url + PATH)
        done = deliver(slack.CHANNEL, given, a_message(), outside(), patience)
    assert done.problem is not None
    assert said in done.problem
    assert "127.0.0.1" not in done.problem
    assert "canary" not in done.problem
    assert (done.tries, len(server.asked), len(patience.waits)) == (tries, tries, tries - 1)
    assert all(wait >= 5 or status != 429 for wait in patience.waits)


def test_trouble_that_passes() -> None:
    """A message that gets through at a later try is delivered, once, and looks the same at each try."""
    patience = Patience()
    with Post(Reply(502, b""), Reply(500, b"")) as server:
        done = deliver(webhook.CHANNEL, keys("webhook", server.url), a_message(), outside(), patience)
    assert (done.problem, done.tries, patience.waits) == (None, 3, list(PAUSES[:2]))
    assert len({(asked.headers["webhook-id"], asked.body) for asked in server.asked}) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://chat.example/x", "starts with https://"),
        ("ftp://127.0.0.1/x", "starts with https://"),
        ("https:///x", "without a proper host"),
        ("canary words", "starts with https://"),
        ("https://[canary", "without a proper host"),
        ("https://127.0.0.1/\x00canary", "is no address"),
    ],
)
def test_a_secret_that_is_no_address(url: str, said: str) -> None:
    """What cannot be an address is told as that, without repeating it."""
    done = deliver(teams.CHANNEL, keys("teams", url), a_message(), outside(), Patience())
    assert done.tries == 1
    assert done.problem is not None
    assert said in done.problem
    assert "canary" not in done.problem


def test_nobody_listens() -> None:
    """Where nobody takes the connection it is tried four times and told without the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    patience = Patience()
    done = deliver(
        ping.CHANNEL, keys("ping", f"http://127.0.0.1:{port}/canary"), a_message(), outside(), patience
    )
    assert (done.tries, patience.waits) == (4, list(PAUSES))
    assert done.problem == "the other side cannot be reached; check url, DNS and firewall"


def test_a_bug_of_ours_costs_one_message() -> None:
    """Whatever breaks while a message is made is taken down with its kind, and nothing more happens."""
    broken = replace(a_message(), counts=None)
    with Post() as server:
        done = deliver(webhook.CHANNEL, keys("webhook", server.url), broken, outside(), Patience())
    assert done.problem is not None
    assert done.problem.startswith("a bug of ours (TypeError)")


@contextmanager
def over_tls(folder: Path, head: Sequence[bytes]) -> Generator[str]:
    """An HTTPS server with a CA of its own that answers one request with those pieces, a while apart."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with (
                suppress(OSError),
                listening.accept()[0] as connection,
                context.wrap_socket(connection, server_side=True) as wrapped,
            ):
                wrapped.recv(65536)
                for piece in head:
                    wrapped.sendall(piece)
                    time.sleep(0.05)

        listening.settimeout(3)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://localhost:{listening.getsockname()[1]}/canary"
        thread.join(20)


GOOD = (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",)
DRIP = (b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"x"] * 200)


@pytest.mark.parametrize(
    ("head", "bundle", "said"),
    [
        (GOOD, "ca.pem", None),
        (GOOD, True, "the other side's certificate cannot be verified; name its CA bundle in verify"),
        (GOOD, "nowhere.pem", "verify names no readable CA bundle (PEM)"),
        (DRIP, "ca.pem", "no answer within 1 s"),
    ],
    ids=["trusted", "not trusted", "no bundle", "drip"],
)
def test_the_way_out(tmp_path: Path, head: Sequence[bytes], *, bundle: str | bool, said: str | None) -> None:
    """As the command sends it: by TLS that is verified, and never longer than its time for one request."""
    outside_of_the_command = Outside(now=lambda: NOW, transport=notices.way_out)
    with over_tls(tmp_path, head) as url:
        verify = bundle if bundle is True else tmp_path / str(bundle)
        given = keys("teams", url, verify=verify, timeout_seconds=1)
        started = time.monotonic()
        try:
            teams.CHANNEL.send(given, a_message(), outside_of_the_command)  # pyright: ignore[reportArgumentType]
            problem = None
        except Undelivered as error:
            problem = str(error)
        took = time.monotonic() - started
    assert problem == said
    assert took < 8
