"""A made-up fleet: people, devices and what happens to them, served as a vendor would, inside this process.

Nothing here reaches the network. The real connectors read the fleet, so that the demo shows what they do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from connectors._connector import Connector, Page, SourceSettings, Surroundings
from connectors._jamf_record import FIELDS
from connectors.demo.deck import Source
from connectors.demo.export import COLUMNS, DATE_FORMAT, write_export
from connectors.demo.fleet import Fleet, made_up_fleet
from connectors.demo.jamf_pages import CLIENT_ID, CLIENT_SECRET, Desk
from connectors.demo.press import printed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import httpx

    from connectors.demo.press import Press

SCHOOLS_PAGE_SIZE = 50
FAILED_NIGHT_BEFORE_LAST = 8


class DemoSettings(SourceSettings):
    """Settings of a made-up fleet. It is always shown as it is on its last night."""

    devices: Annotated[int, Field(ge=1, le=500_000)] = 250
    nights: Annotated[int, Field(ge=1, le=1000)] = 30
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSource:
    """One source of the demo on one night.

    Attributes:
        kind: the connector that reads it.
        values: what that connector's settings class is built from, `name` and `kind` included.
        transport: takes the place of the network; None for a source that needs none.
    """

    name: str
    kind: str
    values: Mapping[str, Any]
    transport: httpx.BaseTransport | None


def night_time(last: datetime, night: int, nights: int) -> datetime:
    """When `night` (0 up to `nights`) is collected, if the last of them is collected at `last`."""
    return last - timedelta(days=nights - 1 - night)


def demo_sources(
    fleet: Fleet, night: int, at: datetime, directory: Path, press: Press = printed
) -> list[DemoSource]:
    """The three sources that together hold the fleet, as they are on `night`, collected at `at`.

    Writes the field's export into `directory`, which must exist. On one night the schools' server fails after
    its first page.
    """
    failing = night == fleet.nights - 1 - FAILED_NIGHT_BEFORE_LAST
    return [
        _server(Desk(fleet, night, at, (Source.HEADQUARTERS,), press=press), page_size=None),
        _server(
            Desk(fleet, night, at, (Source.SCHOOLS,), 1 if failing else None, press),
            page_size=SCHOOLS_PAGE_SIZE,
        ),
        _export(fleet, night, at, directory / "field-export.csv"),
    ]


def _server(desk: Desk, page_size: int | None) -> DemoSource:
    name = str(desk.sources[0])
    values = {**_credentials(name), "page_size": page_size}
    return DemoSource(name=name, kind="jamf_pro", values=values, transport=desk.transport())


def _credentials(name: str) -> dict[str, Any]:
    credential = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    url = f"https://{name}.larkmoor.example"
    return {"name": name, "kind": "jamf_pro", "url": url, "profiles": False, **credential}


def _export(fleet: Fleet, night: int, at: datetime, path: Path) -> DemoSource:
    write_export(fleet, night, at, path)
    name = str(Source.FIELD)
    values = {"name": name, "kind": "file", "path": str(path), "columns": COLUMNS, "date_format": DATE_FORMAT}
    return DemoSource(name=name, kind="file", values=values, transport=None)


def walk(settings: DemoSettings, around: Surroundings) -> Iterator[Page]:
    """The whole fleet as it is on its last night, read by the Jamf Pro connector; raises what that raises."""
    # Imported here: this is the one connector that knows another, and only while somebody asks for the demo.
    from connectors import jamf_pro  # noqa: PLC0415

    fleet = made_up_fleet(settings.devices, settings.nights, settings.seed)
    desk = Desk(fleet, fleet.nights - 1, around.collected_at, tuple(Source))
    values = {**settings.model_dump(exclude={"devices", "nights", "seed"}), **_credentials(settings.name)}
    server = jamf_pro.CONNECTOR.settings.model_validate(values)
    yield from jamf_pro.CONNECTOR.walk(server, replace(around, transport=desk.transport()))


def probe(_settings: DemoSettings, _around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Nothing can be missing: the fleet is made up."""
    yield "made-up fleet", None


_EXAMPLE = """\
# devices = 250
# nights = 30      # the fleet is shown as it is on the last of them
# seed = 7         # another number makes another fleet
"""

CONNECTOR = Connector(
    kind="demo",
    title="Made-up fleet",
    settings=DemoSettings,
    provides=frozenset(FIELDS),
    permissions=(),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Invented; its pages follow the Jamf Pro API reference, read 2026-11-22.",
)
