"""A mail server on loopback: aiosmtpd with TLS, a login, and refusals on demand."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import Envelope, Session

USER, PASSWORD = "fleetkeep", "made-up-mail-password"


@dataclass
class Mailbox:
    """What the server took, and what it says to each step.

    Attributes:
        answers: to MAIL, RCPT and DATA, each used up in turn; then it takes everything.
        refused: recipients that it never takes.
        logins: how many were right.
    """

    mails: list[EmailMessage] = field(default_factory=list["EmailMessage"])
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list[tuple[str, list[str]]])
    answers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    refused: tuple[str, ...] = ()
    logins: int = 0

    async def handle_MAIL(  # noqa: N802 - the library's own name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender, or say what was asked for."""
        if refusal := self._next("MAIL"):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - likewise
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if address in self.refused:
            return "550 nobody here"
        if refusal := self._next("RCPT"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Take the mail, or not."""
        if refusal := self._next("DATA"):
            return refusal
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        return "250 taken"

    def _next(self, step: str) -> str | None:
        waiting = self.answers.get(step)
        return waiting.pop(0) if waiting else None


class MailServer:
    """Serves a mailbox while in `with`; `ca` is the bundle that vouches for it.

    Args:
        security: as in the settings: `starttls`, `tls` or `none`.
        login: whether it wants one.
    """

    def __init__(
        self, folder: Path, security: str = "starttls", *, login: bool = True, host: str = "localhost"
    ) -> None:
        self.box = Mailbox()
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self._security, self._login = security, login
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(self._context)  # pyright: ignore[reportUnknownMemberType]

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        wrapped = self._context if self._security == "tls" else None
        listening = self._loop.create_server(self._smtp, "127.0.0.1", 0, ssl=wrapped)
        server = self._loop.run_until_complete(listening)
        self.port: int = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _smtp(self) -> SMTP:
        starttls = self._security == "starttls"
        return SMTP(
            self.box,
            hostname="mail.example",
            loop=self._loop,
            tls_context=self._context if starttls else None,
            require_starttls=starttls,
            authenticator=self._authenticate if self._login else None,
            # Whether a login is wanted over TLS from the first byte the library cannot tell from one in the clear.
            auth_required=self._login and starttls,
            auth_require_tls=starttls,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        self.box.logins += known
        return AuthResult(success=known and mechanism in {"LOGIN", "PLAIN"}, handled=known)
