"""A CSV, JSON or NDJSON file that some other system exports; the settings map its columns to our signals."""

from __future__ import annotations

from datetime import UTC, tzinfo
from difflib import get_close_matches
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from connectors._amount import UNITS, bytes_of
from connectors._cell import moment, platform_said, read_cell, tells_days
from connectors._connector import Connector, Page, SourceSettings, Surroundings
from connectors._table import Row, Table
from connectors._table_file import rows
from connectors._wire import or_never, platform_of_model
from fleet.errors import SourceError, Unreachable
from fleet.model.device import SIGNALS, SIZE_SIGNALS, TIME_SIGNALS, DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE_ROWS = 1000
_TELL_PLATFORM = {"model_identifier", "model_name", "os_version"}


def _mapping(columns: dict[str, str]) -> dict[str, str]:
    for signal in columns:
        if signal not in SIGNALS:
            nearest = get_close_matches(signal, SIGNALS, n=1, cutoff=0)[0]
            raise ValueError(f'no signal is named "{signal}"; the nearest is "{nearest}"')
    if not columns.keys() & {"serial", "udid"}:
        raise ValueError("map serial or udid: without one of them no row can be told from another")
    return {signal: column.strip() for signal, column in columns.items()}


def _units(units: dict[str, str]) -> dict[str, str]:
    if not units.keys() <= set(SIZE_SIGNALS):
        raise ValueError("only capacity_bytes and available_bytes have a unit")
    if not {unit.lower() for unit in units.values()} <= UNITS.keys():
        raise ValueError("a unit is one of B, KB, MB, GB, KiB, MiB, GiB")
    return {signal: unit.lower() for signal, unit in units.items()}


def _date_format(pattern: str) -> str:
    if pattern not in {"iso", "epoch"} and not tells_days(pattern):
        raise ValueError('is "iso", "epoch" or a strptime pattern of whole dates such as "%d.%m.%Y %H:%M"')
    return pattern


def _timezone(name: str) -> str:
    try:
        _zone(name)
    except (ValueError, LookupError, OSError):
        raise ValueError('is an IANA time zone such as "Europe/Berlin" or "UTC"') from None
    return name


def _zone(name: str) -> tzinfo:
    # UTC needs no tz database; Windows has none of its own.
    return UTC if name == "UTC" else ZoneInfo(name)


class FileSettings(SourceSettings):
    """The keys of a `file` source.

    Attributes:
        path: the file, or a glob of which the newest file counts.
        columns: per signal the name of its column; in JSON it may be a dotted path.
        units: what a size without a unit of its own is counted in; bytes where nothing is said.
        date_format: `iso`, `epoch` (seconds; 13 digits are milliseconds) or a `strptime` pattern.
        timezone: the IANA zone of dates that carry none.
    """

    path: Annotated[str, Field(min_length=1)]
    columns: Annotated[dict[str, Annotated[str, Field(pattern=r"\S")]], AfterValidator(_mapping)]
    units: Annotated[dict[str, str], AfterValidator(_units), Field(default_factory=dict)]
    date_format: Annotated[str, AfterValidator(_date_format)] = "iso"
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"


def provided(settings: FileSettings) -> frozenset[str]:
    """The signals that a file with these settings reports: those mapped, and a platform that follows."""
    follows = {"platform"} if settings.columns.keys() & _TELL_PLATFORM else set[str]()
    return frozenset(settings.columns.keys() | follows)


def walk(settings: FileSettings, around: Surroundings) -> Iterator[Page]:
    """The file's rows in pages of 1,000; the last page states how many rows there were.

    Raises:
        Unreachable: no file is there, or it may not be read.
        BadAnswer: it is not a table that the settings fit; what was read before is yielded first.
    """
    del around  # a file asks nothing of the outside but itself
    page: list[DeviceRecord | Rejected] = []
    count = 0
    try:
        for row in _records(settings):
            if len(page) == PAGE_ROWS:
                yield Page(rows=page)
                page = []
            page.append(row)
            count += 1
    except SourceError:
        if page:
            yield Page(rows=page)
        raise
    yield Page(rows=page, expected=count)


def _records(settings: FileSettings) -> Iterator[DeviceRecord | Rejected]:
    seen = set[str]()
    for row in rows(_table(settings)):
        record = row if isinstance(row, Rejected) else _record(row, settings)
        if isinstance(record, Rejected):
            yield record
        elif record.native_id in seen:
            yield Rejected(row.where, "repeats the identity of an earlier row")
        else:
            seen.add(record.native_id)
            yield record


def _table(settings: FileSettings) -> Table:
    limit = round(settings.max_body_mb * 10**6)
    return Table(path=newest(settings), source=settings.name, columns=settings.columns, max_bytes=limit)


def newest(settings: FileSettings) -> Path:
    """The file that `path` names; of a glob's files the one changed last, of equals the last by name.

    Raises:
        Unreachable: a glob that fits no file.
    """
    path = Path(settings.path)
    try:
        if not has_magic(settings.path) or path.exists():
            return path
        fitting = [Path(name) for name in glob(settings.path)]  # noqa: PTH207 - Path.glob takes no absolute one
        ages = [(found.stat().st_mtime_ns, str(found)) for found in fitting if found.is_file()]
    except OSError as error:
        raise Unreachable(f"{settings.name}: cannot look for {path}: {error.strerror}; try again") from None
    if not ages:
        raise Unreachable(f"{settings.name}: no file fits {path}; check `path` and the nightly export")
    return Path(max(ages)[1])


def probe(settings: FileSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Whether the file is there, and whether its columns are the mapped ones."""
    del around
    step = "find the file"
    try:
        table = _table(settings)
        yield step, None
        step = f"read {table.path.name} and find its columns"
        next(rows(table), None)
        yield step, None
    except SourceError as error:
        yield step, str(error)


def _record(row: Row, settings: FileSettings) -> DeviceRecord | Rejected:
    facts: dict[str, Fact[Any]] = dict.fromkeys(settings.columns, ABSENT)
    for signal, cell in row.cells.items():
        facts[signal] = _fact(signal, cell, settings)
    # A UDID tells the two lines of a re-enrolled or replaced device apart, where the serial is the same.
    ids = [fact for signal in ("udid", "serial") if not isinstance(fact := facts.get(signal, ABSENT), Gap)]
    if not ids:
        return Rejected(row.where, "no serial and no UDID")
    facts |= _storage(facts)
    if "platform" in provided(settings):
        facts["platform"] = _platform(facts, row.cells.get("os_version"))
    return DeviceRecord(native_id=ids[0], **facts)


def _fact(signal: str, cell: object, settings: FileSettings) -> Fact[Any]:
    if signal in TIME_SIGNALS:
        time = moment(cell, date_format=settings.date_format, zone=_zone(settings.timezone))
        return or_never(time) if signal == "last_cloud_backup_at" else time
    if signal in SIZE_SIGNALS:
        return bytes_of(cell, unit=UNITS[settings.units.get(signal, "b")])
    return read_cell(signal, cell)


def _storage(facts: Mapping[str, Fact[Any]]) -> dict[str, Fact[Any]]:
    """The sizes that a zero makes unknown: a capacity of zero, no room on a device of no known capacity."""
    capacity = facts.get("capacity_bytes", NOT_REPORTED)
    if capacity == 0:
        return {signal: ABSENT for signal in SIZE_SIGNALS if signal in facts}
    unproven = isinstance(capacity, Gap) and facts.get("available_bytes") == 0
    return {"available_bytes": ABSENT} if unproven else {}


def _platform(facts: Mapping[str, Fact[Any]], os_cell: object) -> Fact[Platform]:
    """The platform that is said, else what the model tells, else the system's name before its version."""
    model = platform_of_model(*(facts.get(signal, ABSENT) for signal in ("model_identifier", "model_name")))
    said = facts.get("platform", ABSENT)
    if said is ABSENT:
        return platform_said(os_cell) if isinstance(model, Gap) else model
    # Many a system calls an iPad's iPadOS by its old name.
    return model if said is Platform.IOS and model is Platform.IPADOS else said


CONNECTOR = Connector(
    kind="file",
    title="CSV, JSON or NDJSON file",
    settings=FileSettings,
    provides=frozenset(SIGNALS),
    provides_of=provided,
    fields_of=lambda settings: settings.columns,
    permissions=(),
    walk=walk,
    probe=probe,
    remarks={
        "backup_enabled": "map it only if false means off there, and not also that nobody asked",
        "last_cloud_backup_at": "an empty cell means never",
        "inventory_at": "without it and checkin_at, the facts count as old as the collection",
        "available_bytes": "a zero counts only beside a known capacity",
        "platform": "follows from the model, or from the name before the version, where it is not mapped",
    },
    confirmed="made-up files in the shapes that consoles and spreadsheets export",
    example="""\
path = "exports/devices-*.csv"    # CSV, JSON or NDJSON; of several the newest counts
date_format = "iso"               # or "epoch", or a pattern such as "%d.%m.%Y %H:%M"
timezone = "UTC"                  # of dates that name none
[source.columns]                  # our signal = "their column"; in JSON also "general.osVersion"
serial = "Serial Number"
name = "Device Name"
model_name = "Model"
os_version = "OS Version"
last_cloud_backup_at = "Last iCloud Backup"    # an empty cell means never
inventory_at = "Last Inventory Update"
capacity_bytes = "Capacity"
available_bytes = "Available"
[source.units]                    # B KB MB GB KiB MiB GiB; a unit in the cell wins
capacity_bytes = "MB"
available_bytes = "MB"
""",
)
