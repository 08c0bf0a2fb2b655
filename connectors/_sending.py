"""Sending a request until it has an answer: its turn, its deadline, and what is worth another try.

Trouble of the server and of the network is waited out, by what the server asks for or by longer and longer pauses; a
pause that one answer asks for holds all threads of the source.
"""

from __future__ import annotations

import itertools
import logging
import random
import threading
from typing import TYPE_CHECKING

import httpx

from connectors._answers import Answer, retry_after, trouble
from connectors._body import read_body
from connectors._deadline import within
from connectors._faults import UNSENDABLE, fault_of
from fleet.errors import AuthRefused, Throttled, Unreachable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from connectors._answers import Ask
    from connectors._connector import SourceSettings, Surroundings
    from connectors._rate_limit import RateLimit
    from fleet.errors import SourceError

log = logging.getLogger(__name__)

TRIES = 8
_WORTH_WAITING = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 30.0
_jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing


class Sender:
    """Sends the requests of one source; threads may share it.

    Args:
        client: the connections.
        settings: for the deadlines of a request and of the source, and the largest body.
        around: for the clock.
        limit: of the vendor's, where there is one.
        final: statuses that are never waited out, because this vendor means something else by them.

    Attributes:
        closed: threads still at work give up at their next try.
    """

    def __init__(
        self,
        client: httpx.Client,
        settings: SourceSettings,
        around: Surroundings,
        *,
        limit: RateLimit | None,
        final: Collection[int],
    ) -> None:
        self._client = client
        self._settings = settings
        self._around = around
        self._limit = limit
        self._final = final
        self._ends = around.until(settings.deadline_minutes)
        self._gate = threading.Lock()
        self._not_before = around.now()
        self.closed = False

    def answer(self, ask: Ask, credential: Mapping[str, str]) -> Answer:
        """The answer to one request, whatever its status says; raises `SourceError` where none can be had."""
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
                if answer.status not in _WORTH_WAITING or answer.status in self._final:
                    return answer
                asked_for, failure, status = (
                    retry_after(answer.headers),
                    trouble(ask, answer.status),
                    answer.status,
                )
            if attempt >= tries or self.closed:
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
            raise Unreachable(f"{ask.place}: not done {self._too_late}")

    @property
    def _too_late(self) -> str:
        minutes = self._settings.deadline_minutes
        said = "when the time of the whole run was up" if self._by_run else f"after {minutes:g} minutes"
        return f"{said}; raise {self._named}"

    @property
    def _named(self) -> str:
        return "[run] deadline_minutes" if self._by_run else "deadline_minutes"

    @property
    def _by_run(self) -> bool:
        return self._ends == self._around.ends

    def _hold(self, ask: Ask, pause: float, failure: SourceError | None, status: object) -> None:
        # One gate for all threads: what throttles one request throttles the source.
        now = self._around.now()
        if now + pause >= self._ends:
            raise failure or Throttled(
                f"{ask.place} asks to wait {pause:.0f} s, longer than {self._named} leaves; run later"
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


def _backoff(attempt: int) -> float:
    return min(_LONGEST_PAUSE, 2.0 ** (attempt - 1)) * _jitter.uniform(0.75, 1)
