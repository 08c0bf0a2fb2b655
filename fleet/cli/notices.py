"""Notifications of one run: who listens, what goes out when the report is in place, and what is remembered of it."""

from __future__ import annotations

import os
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

import fleet
from connectors._deadline import DeadlineTransport, within
from connectors._network import proxy_for
from fleet import secrets
from fleet.cli import compose, logs
from fleet.errors import FleetkeepError, LockedError, SecretUnavailable, Undelivered
from fleet.nightly.publish import texts_of
from fleet.store import ledger, notifications
from reports.notify import news
from reports.notify._channel import AudienceSettings, ChannelSettings, Outside
from reports.notify._delivery import Delivery, broken_off, deliver
from reports.notify.registry import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from connectors._connector import SourceSettings
    from fleet.model.device_report import DeviceReport
    from fleet.model.run import Outcome, RunReport
    from fleet.settings import Settings, SourceConfig
    from fleet.store.database import Database
    from reports.notify._message import Message


class Notices:
    """Listens to a run for everybody who is to be told of it."""

    def __init__(self, loaded: Settings[SourceSettings]) -> None:
        self._loaded = loaded
        titles = {name: text.title for name, text in texts_of(loaded.policy).items()}
        self._configs = [config for config in loaded.notify if config.enabled]
        self._desks = {
            config.name: news.Desk(config.settings, titles, loaded.report.base_url)
            for config in self._configs
            if isinstance(config.settings, AudienceSettings)
        }

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        for desk in self._desks.values():
            desk.device(report)

    def again(self) -> None:
        """Forget all devices: the pass starts over."""
        for desk in self._desks.values():
            desk.again()

    def notes(self, database: Database) -> list[str]:
        """What the coming report has to say of messages that did not get through."""
        last = notifications.last_messages(database) if self._configs else {}
        return [
            f'The notification "{one.name}" about the run of {one.run_as_of:%Y-%m-%dT%H:%M:%SZ} did not get through: '
            f"{one.problem}."
            for config in self._configs
            if (one := last.get(config.name)) and one.problem
        ]

    def send(self, database: Database, finished: RunReport, place: Path) -> list[str]:
        """Tell everybody who has to hear of the run; returns whom. What does not get through is said and kept."""
        last = notifications.last_messages(database) if self._configs else {}
        outcomes = _outcomes_before(database, finished)
        page = place / "index.html"
        told: list[str] = []
        for config in self._configs:
            before = last.get(config.name)
            done = self._told(
                config,
                finished,
                outcomes=outcomes,
                missed=before.run_as_of if before and before.problem else None,
                page=page if page.exists() else None,
            )
            if done is None:
                continue
            notifications.note(
                database,
                config.name,
                run_id=finished.id,
                at=compose.now(),
                tries=done.tries,
                problem=done.problem,
            )
            if done.problem:
                logs.say(f'notify "{config.name}": {done.problem}')
            else:
                told.append(config.name)
        return told

    def _told(self, config: SourceConfig[Any], finished: RunReport, **more: Any) -> Delivery | None:  # noqa: ANN401 - as the desk has it
        """What became of one message; None where there was nothing to say."""
        desk = self._desks.get(config.name)
        try:
            message = desk.message(finished, **more) if desk else news.beat(finished)
        except Exception as error:  # noqa: BLE001 - the report is in place, and stays
            return broken_off(error)
        return delivered(config, self._loaded, message) if message else None


def delivered(config: SourceConfig[Any], loaded: Settings[SourceSettings], message: Message) -> Delivery:
    """What became of one message by one notification; never raises."""
    try:
        settings = opened(config, loaded)
    except Undelivered as error:
        return Delivery(0, str(error))
    return deliver(CHANNELS[config.kind], settings, message, _outside(), time.sleep)


def opened(config: SourceConfig[Any], loaded: Settings[SourceSettings]) -> ChannelSettings:
    """The keys of a notification with their secrets; raises `Undelivered` where one cannot be had."""
    try:
        return config.opened(lambda ref: secrets.resolve(ref, os.environ, loaded.base))
    except SecretUnavailable as error:
        raise Undelivered(str(error).removeprefix(f'notify "{config.name}": '), again=False) from error


@contextmanager
def alarmed(config: Path | None) -> Generator[None]:
    """Let monitors hear at once when the run of the block breaks, if they have an address for that.

    A run that finds another one at work is no broken run: that other one will be heard of.
    """
    try:
        yield
    except LockedError:
        raise
    except Exception:
        for one, loaded in _monitors(config):
            done = delivered(one, loaded, news.broken(loaded.report.title, compose.now()))
            if done.problem:
                logs.say(f'notify "{one.name}": {done.problem}')
        raise


def _monitors(config: Path | None) -> Iterator[tuple[SourceConfig[Any], Settings[SourceSettings]]]:
    try:
        loaded = compose.load_settings(config)
    except FleetkeepError:
        return  # settings that cannot be read name no monitor; it will miss us
    for one in loaded.notify:
        if one.enabled and not isinstance(one.settings, AudienceSettings):
            yield one, loaded


def _outcomes_before(database: Database, finished: RunReport) -> dict[str, Outcome]:
    if not finished.trend:
        return {}
    basis = ledger.basis_of_run(database, finished.trend[-1].run_id)
    return {one.report.name: one.report.outcome for one in basis if not one.removed}


def _outside() -> Outside:
    return Outside(now=compose.now, transport=way_out, user_agent=f"fleetkeep/{fleet.__version__}")


def way_out(address: httpx.URL, settings: ChannelSettings) -> httpx.BaseTransport:
    """The network: the usual proxy, the CA bundle of the settings, and one deadline for a request."""
    try:
        trust = ssl.create_default_context(cafile=settings.verify) if settings.verify is not True else None
    except OSError:
        raise Undelivered("verify names no readable CA bundle (PEM)", again=False) from None
    return _Deadlined(
        DeadlineTransport(
            verify=trust or httpx.create_ssl_context(),
            proxy=proxy_for(address),
            limits=httpx.Limits(max_connections=1),
        ),
        settings.timeout_seconds,
    )


class _Deadlined(httpx.BaseTransport):
    """A transport whose requests share one deadline, up to the end of the answer's head."""

    def __init__(self, usual: httpx.BaseTransport, seconds: float) -> None:
        self._usual, self._seconds = usual, seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request within the deadline."""
        with within(self._seconds):
            return self._usual.handle_request(request)

    def close(self) -> None:
        """Close the connection."""
        self._usual.close()
