"""E-mail by SMTP over TLS: text and HTML side by side, and the report attached while it is small enough.

Headers hold words of ours and of the settings only, never the name of a device. No address of a recipient is repeated
in any error.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from fleet.errors import Undelivered
from reports.notify._channel import AudienceSettings, Channel, Line
from reports.notify._message import told

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from jinja2 import Template

    from reports.notify._channel import Outside
    from reports.notify._message import Message

ATTACHED_MB = 5.0
_BASE64 = 4 / 3 * 78 / 76  # what becomes of a byte in a mail: four for three, and a line end for each 76
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_DEADLINES = 5  # of the time for one step, for all of them
_SMTP_CLIENT_ERROR, _SMTP_LASTING = 400, 500


def _mailbox(value: str) -> str:
    try:
        address = Address(addr_spec=value)
    except (ValueError, IndexError):  # the parser's own slips count as well
        raise ValueError("should be an address as in it@contoso.example") from None
    if not address.domain or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("should be an address as in it@contoso.example")
    return value


Mailbox = Annotated[Line, AfterValidator(_mailbox)]


class MailSettings(AudienceSettings):
    """Keys of an e-mail.

    Attributes:
        host: of the mail server.
        username: of the account at the server, where it wants one.
        password: of that account.
        sender: the address it comes from.
        recipients: the addresses it goes to.
        security: `starttls`, `tls` from the first byte, or `none` for a server on this machine.
        port: the usual one of `security` unless given.
        attach_max_mb: a report that is larger, as it is in a mail, is left out; 5 unless given, and 0 with `base_url`.
    """

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$", max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Line | None = None
    password: SecretStr | None = None
    sender: Mailbox
    recipients: Annotated[tuple[Mailbox, ...], Field(min_length=1)]
    attach_max_mb: Annotated[float, Field(ge=0, le=100)] | None = None

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both, or neither")
        if self.security == "none" and self.host not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError('security = "none" is for a server on this machine only')
        return self


def _send(settings: MailSettings, message: Message, outside: Outside) -> None:
    mail = _mail(settings, message, outside)
    try:
        with _connected(settings) as server:
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refused("every recipient", max(codes, default=550)) from None
    except smtplib.SMTPSenderRefused as error:
        raise _refused("the sender", error.smtp_code) from None
    except smtplib.SMTPAuthenticationError as error:
        raise _refused("the login", error.smtp_code) from None
    except smtplib.SMTPResponseException as error:
        raise _refused("the message", error.smtp_code) from None
    except smtplib.SMTPNotSupportedError:
        raise Undelivered(
            "the mail server offers no STARTTLS, or no login over it; check port and security", again=False
        ) from None
    except ssl.SSLCertVerificationError:
        raise Undelivered(
            "the mail server's certificate cannot be verified; name its CA bundle in verify", again=False
        ) from None
    except UnicodeEncodeError:
        raise Undelivered(
            "username or password holds a character that SMTP cannot carry", again=False
        ) from None
    except (TimeoutError, smtplib.SMTPException, OSError) as error:
        raise Undelivered(_unreached(error, settings), again=True) from None
    if refused:
        some = f"{len(refused)} of {len(settings.recipients)} recipients"
        raise Undelivered(f"the mail server refuses {some}; check recipients", again=False)


def _refused(what: str, code: int) -> Undelivered:
    return Undelivered(f"the mail server refuses {what} ({code})", again=code < _SMTP_LASTING)


def _unreached(error: Exception, settings: MailSettings) -> str:
    match error:
        case TimeoutError() | smtplib.SMTPServerDisconnected():
            return f"the mail server gave no whole answer within {settings.timeout_seconds:g} s, or hung up"
        case ssl.SSLError():
            return "the mail server speaks no TLS that we accept; check port and security"
        case _:
            return "the mail server cannot be reached; check host, port and firewall"


@contextmanager
def _connected(settings: MailSettings) -> Generator[smtplib.SMTP]:
    trust = _trust(settings)
    own, seconds = socket.gethostname(), settings.timeout_seconds
    server = (
        smtplib.SMTP_SSL(local_hostname=own, timeout=seconds, context=trust)
        if settings.security == "tls"
        else smtplib.SMTP(local_hostname=own, timeout=seconds)
    )
    with _cut_off(server, _DEADLINES * seconds):
        try:
            # Only its constructor would note the name that certificates are checked against, and connect at once.
            server._host = settings.host  # noqa: SLF001 # pyright: ignore[reportAttributeAccessIssue]
            server.connect(settings.host, settings.port or _PORTS[settings.security])
            if settings.security == "starttls":
                server.starttls(context=trust)
            if settings.username is not None and settings.password is not None:
                server.login(settings.username, settings.password.get_secret_value())
            yield server
            server.quit()
        finally:
            server.close()


def _trust(settings: MailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if settings.verify is True else settings.verify)
    except OSError:
        raise Undelivered("verify names no readable CA bundle (PEM)", again=False) from None


@contextmanager
def _cut_off(server: smtplib.SMTP, seconds: float) -> Generator[None]:
    """End the connection after so long: each wait on it has a limit, and a server may make any number of them."""

    def end() -> None:
        if server.sock is not None:
            server.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _mail(settings: MailSettings, message: Message, outside: Outside) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    sender = Address("fleetkeep", addr_spec=settings.sender)
    mail["Subject"] = message.subject
    mail["From"] = sender
    mail["To"] = tuple(Address(addr_spec=one) for one in settings.recipients)
    mail["Date"] = format_datetime(outside.now())
    mail["Message-ID"] = f"<{message.id}.{settings.name}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    report, left_out = _attachable(settings, message)
    mail.set_content("\n".join([*told(message), *left_out]) + "\n")
    mail.add_alternative(_template().render(message=message, left_out=left_out), subtype="html")
    if report is not None:
        name = f"backups-{message.about:%Y-%m-%d}.html" if message.about else "backups.html"
        mail.add_attachment(
            report.read_bytes(), maintype="text", subtype="html", filename=name, params={"charset": "utf-8"}
        )
    return mail


def _attachable(settings: MailSettings, message: Message) -> tuple[Path | None, list[str]]:
    """The report, if it may come along; else what to say about that."""
    most = settings.attach_max_mb
    if most is None:
        most = 0 if message.report_url else ATTACHED_MB
    if message.report is None or most == 0:
        return None, []
    size = message.report.stat().st_size * _BASE64 / 1e6
    if size <= most:
        return message.report, []
    return None, [f"The report is too large for a mail ({size:.0f} MB); it is in the report directory."]


@cache
def _template() -> Template:
    from reports._page import templates  # noqa: PLC0415 - its template engine is for whoever sends mail

    return templates("reports.notify").get_template("mail.html.j2")


CHANNEL = Channel(
    kind="email",
    settings=MailSettings,
    send=_send,
    example=(
        'host = "smtp.example.com"          # port 587 with STARTTLS; security = "tls" takes 465\n'
        'username = "fleetkeep"\n'
        'password = { env = "SMTP_PASSWORD" }\n'
        'sender = "fleetkeep@example.com"\n'
        'recipients = ["it@example.com"]\n'
    ),
)
