"""NanoMDM and MicroMDM: what devices answered, from stored webhook deliveries or from NanoMDM's own database.

Neither server lists devices or keeps an inventory: facts come only of commands that the admin's own scheduler
enqueues. Sources: NanoMDM's operations guide, openapi.yaml and storage/*/schema.sql, read 2026-11-22.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator

from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._nanomdm_database import READ_TABLES, NanoMdmDatabase, database_url
from connectors._nanomdm_deliveries import Deliveries, delivery_files
from connectors._nanomdm_record import FIELDS
from connectors._probe import tried
from fleet.errors import Unreachable
from fleet.model.device import DeviceRecord, Platform
from fleet.model.fact import ABSENT
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from connectors._nanomdm_record import Enrolment

PAGE_ROWS = 500


class NanoMdmSettings(SourceSettings):
    """The keys of `kind = "nanomdm"`: a folder of deliveries, or a database and the password for it."""

    events: Path | None = None
    database: Annotated[str, AfterValidator(database_url)] | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.events is None) == (self.database is None):
            raise ValueError("give events or database, one of them")
        if self.password is not None and self.database is None:
            raise ValueError("password belongs to database")
        return self


def walk(settings: NanoMdmSettings, around: Surroundings) -> Iterator[Page]:
    """Every enrolled device; the database says how many there are, deliveries do not.

    Raises `SourceError` where the folder or the database cannot be read.
    """
    ends = around.now() + settings.deadline_minutes * 60

    def in_time() -> None:
        if around.now() >= ends:
            raise Unreachable(
                f"{settings.name}: not done after {settings.deadline_minutes:g} minutes; raise deadline_minutes, "
                "or clear away old deliveries"
            )

    if settings.database is not None:
        return _from_database(_database(settings), settings.page_size or PAGE_ROWS, in_time)
    return _from_events(Deliveries(settings.events or Path(), settings.max_body_mb * 1e6), in_time)


def _from_database(database: NanoMdmDatabase, size: int, in_time: Callable[[], None]) -> Iterator[Page]:
    for batch in database.batches(size):
        in_time()
        yield _page(batch.devices, batch.unread, batch.total)


def _from_events(deliveries: Deliveries, in_time: Callable[[], None]) -> Iterator[Page]:
    for path in delivery_files(deliveries.folder):
        in_time()
        deliveries.take(path)
    yield Page(rows=deliveries.rejected, troubles=_unread(deliveries.unread))
    devices = list(deliveries.enrolments.values())
    for start in range(0, len(devices), PAGE_ROWS):
        yield _page(devices[start : start + PAGE_ROWS])


def _database(settings: NanoMdmSettings) -> NanoMdmDatabase:
    password = settings.password.get_secret_value() if settings.password else None
    return NanoMdmDatabase(settings.database or "", password)


def _page(devices: Iterable[Enrolment], unread: int = 0, expected: int | None = None) -> Page:
    records = [device.record() for device in devices]
    return Page(rows=records, expected=expected, troubles=(*_unread(unread), *_unasked(records)))


def _unread(count: int) -> tuple[Trouble, ...]:
    message = "What some devices sent could not be read; facts are of their last readable answers"
    return (Trouble("messages_unreadable", message, count),) if count else ()


def _unasked(records: Sequence[DeviceRecord]) -> tuple[Trouble, ...]:
    judged = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS, ABSENT}
    silent = [
        record
        for record in records
        if record.managed is True and record.platform in judged and record.backup_enabled is ABSENT
    ]
    message = (
        "Devices have not said whether iCloud Backup is on: enqueue DeviceInformation with the queries "
        "IsCloudBackupEnabled and LastCloudBackupDate every night"
    )
    return (Trouble("backup_not_asked", message, len(silent)),) if silent else ()


def probe(settings: NanoMdmSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Whether the deliveries are there, or the database lets each of its tables be read."""
    del around
    if settings.events is not None:
        folder = settings.events
        yield tried("find the deliveries", lambda: _some(folder))
        return
    database = _database(settings)
    login = tried("login", database.log_in)
    yield login
    if login[1] is None:
        yield tried(READ_TABLES, database.read_each)


def _some(folder: Path) -> None:
    if not delivery_files(folder):
        raise Unreachable(
            f"{folder} holds no *.json: let the receiver of -webhook-url store each delivery there"
        )


_EXAMPLE = """\
# NanoMDM and MicroMDM keep no inventory. Every night, let your scheduler enqueue for all devices DeviceInformation
# (with the queries IsCloudBackupEnabled, LastCloudBackupDate, DeviceCapacity, AvailableDeviceCapacity, OSVersion,
# BuildVersion, ProductName, ModelName, SerialNumber, DeviceName, BatteryLevel, IsSupervised, IsMultiUser,
# IsMDMLostModeEnabled, iTunesStoreAccountIsActive, ServiceSubscriptions), SecurityInfo, Restrictions, ProfileList
# and, on supervised devices, AvailableOSUpdates. No API key is needed here.
# Either a folder in which a receiver of the webhook (-webhook-url, or MicroMDM's -command-webhook-url) stores each
# delivery as one *.json; keep at least the last 30 days, and each device's mdm.Authenticate for its enrolment date:
events = "/var/lib/nanomdm-webhook"
# Or NanoMDM's own MySQL or PostgreSQL, not with its storage option delete=1; in the database:
#   GRANT SELECT ON enrollments, devices, commands, command_results TO fleetkeep
# database = "postgresql+psycopg://fleetkeep@db.example/nanomdm"    # without a password in it
# password = { env = "NANOMDM_DB_PASSWORD" }
"""

_CONCLUDED = frozenset(
    {"managed", "ownership", "platform", "enrolled_at", "checkin_at", "inventory_at", "vpn_configured"}
)

CONNECTOR = Connector(
    kind="nanomdm",
    title="NanoMDM and MicroMDM",
    settings=NanoMdmSettings,
    provides=frozenset(FIELDS) | _CONCLUDED,
    fields=FIELDS,
    permissions=(
        Permission(
            READ_TABLES, "everything, where database is set; events need none", "GRANT in that database"
        ),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="NanoMDM's webhook and database schemas, deliveries of a NanoMDM run with made-up devices, Apple's "
    "schema and public answers of real devices, read 2026-11-22; no fleet of our own",
    remarks={
        "backup_enabled": "as the device answers, where the scheduler asks; hidden under User Enrolment",
        "last_cloud_backup_at": "absent also where there was none: an answer does not tell that from not asked",
        "backup_restricted": "where Restrictions lists allowCloudBackup; unlisted is unknown; of the inventory's week",
        "vpn_configured": "false where no profile of ProfileList holds a VPN; one that does may not be on demand, "
        "so unknown",
        "capacity_bytes": "GiB as old systems send them are told from GB by whole blocks",
        "serial": "hidden under User Enrolment",
        "udid": "hidden under User Enrolment",
        "ownership": "personal under User Enrolment, else unknown",
        "enrolled_at": "of mdm.Authenticate",
        "inventory_at": "when the server got the newest DeviceInformation that tells of backups or storage",
        "managed": "false after a CheckOut, which a wiped device does not send",
        "pending_os_version": "supervised devices, where AvailableOSUpdates is asked",
        "last_local_backup_at": "the MDM protocol does not tell it",
    },
)
