"""E-mail through a real mail server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from fleet.errors import Undelivered
from reports.notify._delivery import deliver
from reports.notify.mail import CHANNEL, MailSettings
from tests.notify.messages import HOSTILE, Patience, a_message, an_entry, outside
from tests.servers.smtp import PASSWORD, USER, MailServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from reports.notify._message import Message
    from tests.fleet_of import Value


def settings(server: MailServer | None, **more: Value) -> MailSettings:
    """Those of an admin whose server has a CA of its own."""
    given: dict[str, Value] = {
        "name": "mail",
        "kind": "email",
        "host": "localhost",
        "port": server.port if server else 25,
        "verify": server.ca if server else True,
        "username": USER,
        "password": SecretStr(PASSWORD),
        "sender": "fleetkeep@contoso.example",
        "recipients": ("it@contoso.example", "desk@contoso.example"),
    }
    return MailSettings(**{**given, **more})


def send(message: Message, keys: MailSettings) -> None:
    """Send it once."""
    CHANNEL.send(keys, message, outside())


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_arrives(tmp_path: Path, security: str) -> None:
    """Over either kind of TLS, with a login, each recipient gets the same words as text and as HTML."""
    with MailServer(tmp_path, security) as server:
        send(a_message(), settings(server, security=security))
        (mail,) = server.box.mails
        assert server.box.logins == 1
    assert server.box.envelopes == [
        ("fleetkeep@contoso.example", ["it@contoso.example", "desk@contoso.example"])
    ]
    assert mail["Subject"] == "Contoso backups: 3 new, 9 fixed, 1 source incomplete"
    assert (mail["From"], mail["To"]) == (
        "fleetkeep <fleetkeep@contoso.example>",
        "it@contoso.example, desk@contoso.example",
    )
    assert mail["Date"] == "Sun, 22 Nov 2026 02:05:30 +0000"
    assert mail["Message-ID"] == "<run-12-20261122T020000Z.mail@contoso.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = body.get_content()
        for said in (
            "3 new, 9 fixed, 1 source incomplete",
            "iCloud Backup is off",
            "Ward 3 iPad · FK0001 · HQ",
            "and 2 more",
            "school: partial. page 5 is HTML",
            "1,240 devices",
            "https://reports.example/index.html#d=",
        ):
            assert said in text, (kind, said)


def test_a_server_on_this_machine(tmp_path: Path) -> None:
    """A relay on the loopback needs neither TLS nor login."""
    with MailServer(tmp_path, "none", login=False) as server:
        send(a_message(), settings(server, security="none", username=None, password=None))
    assert len(server.box.mails) == 1


def test_names_of_devices_are_text(tmp_path: Path) -> None:
    """What somebody named their device is neither markup nor a header, and long words of it are cut."""
    name = f"{HOSTILE}\r\nBcc: everyone@contoso.example"
    with MailServer(tmp_path) as server:
        send(a_message(an_entry(where=(name,))), settings(server))
    (mail,) = server.box.mails
    assert mail["Bcc"] is None
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def a_page(folder: Path, megabytes: float) -> Path:
    page = folder / "index.html"
    page.write_bytes(b"x" * int(megabytes * 1e6))
    return page


@pytest.mark.parametrize(
    ("megabytes", "keys", "linked", "attached"),
    [
        (1, {}, False, True),
        (1, {}, True, False),
        (1, {"attach_max_mb": 2}, True, True),
        (1.4, {"attach_max_mb": 2}, False, True),
        (1.6, {"attach_max_mb": 2}, False, False),
        (0.1, {"attach_max_mb": 0}, False, False),
    ],
    ids=["small", "linked", "both", "fits in Base64", "does not fit in Base64", "never"],
)
def test_the_report_comes_along(
    tmp_path: Path, megabytes: float, keys: dict[str, Value], *, linked: bool, attached: bool
) -> None:
    """A report is attached while it is small enough as a mail has it; where there is a link, only if asked for."""
    message = a_message(
        report=a_page(tmp_path, megabytes), report_url="https://r.example/" if linked else None
    )
    with MailServer(tmp_path) as server:
        send(message, settings(server, **keys))
    (mail,) = server.box.mails
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == (["backups-2026-11-22.html"] if attached else [])
    body = mail.get_body(("plain",))
    assert body is not None
    too_large = not attached and megabytes > 1
    assert ("too large for a mail (2 MB)" in body.get_content()) is too_large


@pytest.mark.parametrize(
    ("answers", "keys", "said", "again"),
    [
        ({"MAIL": ["550 no"]}, {}, "the mail server refuses the sender (550)", False),
        ({"DATA": ["554 spam"]}, {}, "the mail server refuses the message (554)", False),
        ({"DATA": ["451 later"]}, {}, "the mail server refuses the message (451)", True),
        ({"RCPT": ["450 greylisted"] * 2}, {}, "the mail server refuses every recipient (450)", True),
        ({"RCPT": ["550 nobody"] * 2}, {}, "the mail server refuses every recipient (550)", False),
        ({}, {"password": SecretStr("wrong")}, "the mail server refuses the login (535)", False),
        ({}, {"password": SecretStr("pässwort")}, "holds a character that SMTP cannot carry", False),
        ({}, {"verify": True}, "certificate cannot be verified; name its CA bundle", False),
        ({}, {"verify": "nowhere.pem"}, "verify names no readable CA bundle", False),
    ],
)
def test_what_a_server_refuses(
    tmp_path: Path, answers: dict[str, list[str]], keys: dict[str, Value], said: str, *, again: bool
) -> None:
    """Each refusal is told in words of ours with its code, without an address, and tried again where that helps."""
    with MailServer(tmp_path) as server:
        server.box.answers = answers
        mail_keys = settings(server, **keys)
        with pytest.raises(Undelivered) as caught:
            send(a_message(), mail_keys)
    assert said in str(caught.value)
    assert caught.value.again is again
    assert "@" not in str(caught.value)
    assert server.box.mails == []


def test_a_recipient_that_is_refused(tmp_path: Path) -> None:
    """The others get the mail; how many do not is said, and not who."""
    with MailServer(tmp_path) as server:
        server.box.refused = ("desk@contoso.example",)
        keys = settings(server)
        with pytest.raises(Undelivered, match="refuses 1 of 2 recipients") as caught:
            send(a_message(), keys)
    assert not caught.value.again
    assert "desk" not in str(caught.value)
    assert server.box.envelopes[0][1] == ["it@contoso.example"]


def test_a_server_without_starttls(tmp_path: Path) -> None:
    """A server that offers no encryption gets neither the password nor the mail."""
    with (
        MailServer(tmp_path, "none", login=False) as server,
        pytest.raises(Undelivered, match="offers no STARTTLS"),
    ):
        send(a_message(), settings(server))
    assert server.box.mails == []


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    """A greylisted mail is tried again after a while and arrives once, under the same id."""
    patience = Patience()
    with MailServer(tmp_path) as server:
        server.box.answers = {"RCPT": ["450 later"] * 2, "DATA": ["451 later"]}
        done = deliver(CHANNEL, settings(server), a_message(), outside(), patience)
    assert (done.tries, done.problem, patience.waits) == (3, None, [2, 8])
    assert len(server.box.mails) == 1


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Generator[int]:
    """A server on loopback that does with a connection what `answer` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def drip(connection: socket.socket) -> None:
    """A greeting that never ends, a byte at a time."""
    for _ in range(200):
        try:
            connection.sendall(b"2")
        except OSError:
            return
        time.sleep(0.05)


def silence(connection: socket.socket) -> None:
    """No greeting at all."""
    connection.recv(1)


@pytest.mark.parametrize("answer", [drip, silence])
def test_a_server_that_never_ends(answer: Callable[[socket.socket], None]) -> None:
    """A server that says nothing, or says it for ever, is given up."""
    keys = settings(None, host="127.0.0.1", security="none", username=None, password=None)
    started = time.monotonic()
    with (
        listening(answer) as port,
        pytest.raises(Undelivered, match=r"no whole answer within 0\.2 s") as caught,
    ):
        send(a_message(), keys.model_copy(update={"port": port, "timeout_seconds": 0.2}))
    assert caught.value.again
    assert time.monotonic() - started < 8


def test_nobody_listens() -> None:
    """Where there is no server, the remedy is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Undelivered, match="cannot be reached; check host, port and firewall"):
        send(a_message(), settings(None, port=port, security="none", username=None, password=None))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"sender": "nobody"}, "should be an address"),
        ({"sender": "a b@contoso.example"}, "should be an address"),
        ({"recipients": ("it@contoso.example\r\nBcc: x@y",)}, "should be an address"),
        ({"recipients": ()}, "at least 1 item"),
        ({"username": None}, "belong together"),
        ({"security": "none", "host": "mail.contoso.example"}, "this machine only"),
        ({"host": "mail server"}, "pattern"),
        ({"minimum_severity": "bad"}, "'critical', 'high'"),
    ],
)
def test_settings_that_cannot_work(keys: dict[str, Value], said: str) -> None:
    """What could never be sent, or would be sent in the clear, is refused when the settings are read."""
    with pytest.raises(ValidationError, match=said):
        settings(None, **keys)
