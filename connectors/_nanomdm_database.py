"""NanoMDM's own database, read only: its devices page by page, each with what it answered.

Tables and columns: NanoMDM's storage/mysql/schema.sql and storage/pgsql/schema.sql, read 2026-11-22.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from connectors import _wire
from connectors._nanomdm_record import DEVICE, PERSONAL_DEVICE, SHARED_USER, Enrolment, Plist
from connectors._profile import read_plist
from fleet.errors import AuthRefused, NotFound, PermissionMissing, SourceError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

READ_TABLES = "SELECT on enrollments, devices, commands, command_results"
_ANSWERS_EACH = 5
_COMMANDS = ("DeviceInformation", "SecurityInfo", "Restrictions", "ProfileList", "AvailableOSUpdates")

_enrolled = sa.table(
    "enrollments",
    sa.column("id", sa.String()),
    sa.column("device_id", sa.String()),
    sa.column("type", sa.String()),
    sa.column("enabled", sa.Boolean()),
    sa.column("last_seen_at", sa.DateTime()),
)
_devices = sa.table(
    "devices",
    sa.column("id", sa.String()),
    sa.column("authenticate", sa.Text()),
    sa.column("authenticate_at", sa.DateTime()),
)
_commands = sa.table(
    "commands", sa.column("command_uuid", sa.String()), sa.column("request_type", sa.String())
)
_results = sa.table(
    "command_results",
    sa.column("id", sa.String()),
    sa.column("command_uuid", sa.String()),
    sa.column("status", sa.String()),
    sa.column("result", sa.Text()),
    sa.column("updated_at", sa.DateTime()),
)
_users = _enrolled.alias("users_of_it")
_OF_DEVICES = _enrolled.c.type.in_([DEVICE, PERSONAL_DEVICE])

_TIMED_DRIVERS = {"psycopg", "psycopg2", "pymysql", "mysqldb"}
_ON_CONNECT = {
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",),
    # MySQL tells a TIMESTAMP in the session's zone.
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'"),
    "sqlite": ("PRAGMA query_only = 1",),
}


def database_url(value: str) -> str:
    """`value` if it is a URL of a database without a password; raises ValueError for any other."""
    try:
        url = sa.make_url(value)
    except ArgumentError:
        raise ValueError(
            "is no SQLAlchemy URL such as postgresql+psycopg://fleetkeep@db.example/nanomdm"
        ) from None
    if url.password is not None:
        raise ValueError('must not carry a password: give it apart, as password = { env = "NAME" }')
    return value


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the devices.

    Attributes:
        unread: messages of theirs that could not be read.
        total: how many devices there are in all.
    """

    devices: Sequence[Enrolment]
    unread: int
    total: int


@dataclass(frozen=True, slots=True, repr=False)
class NanoMdmDatabase:
    """The database at `url`; every method raises `SourceError` for what the database refuses."""

    url: str
    password: str | None

    def batches(self, size: int) -> Iterator[Batch]:
        """All devices in the order of their ids, `size` at a time, each with its last answers."""
        with self.connected() as connection:
            count = sa.select(sa.func.count()).select_from(_enrolled).where(_OF_DEVICES)
            total = connection.execute(count).scalar_one()
            after = ""
            while rows := connection.execute(_next_devices(connection, after, size)).all():
                yield _batch(connection, rows, total)
                after = rows[-1].id

    def log_in(self) -> None:
        """Connect, and no more."""
        with self.connected():
            pass

    def read_each(self) -> None:
        """Read a row of every table that a collection needs."""
        with self.connected() as connection:
            for table in (_enrolled, _devices, _commands, _results):
                connection.execute(sa.select(table).limit(1))

    @contextmanager
    def connected(self) -> Generator[sa.Connection]:
        """A connection that refuses to write."""
        url = sa.make_url(self.url)
        place = f"the database {url.database} on {url.host or 'this machine'}"
        try:
            engine = sa.create_engine(
                url if self.password is None else url.set(password=self.password),
                poolclass=sa.NullPool,
                connect_args={"connect_timeout": 30} if url.get_driver_name() in _TIMED_DRIVERS else {},
            )
        except (ArgumentError, ImportError):
            raise Unreachable(
                f"{place}: no driver {url.drivername} is installed; install it beside fleetkeep"
            ) from None
        try:
            with engine.connect() as connection:
                for statement in _ON_CONNECT.get(connection.dialect.name, ()):
                    connection.exec_driver_sql(statement)
                connection.commit()
                yield connection
        except SQLAlchemyError as error:
            raise _fault(error, place) from error


def _next_devices(connection: sa.Connection, after: str, size: int) -> sa.Executable:
    shared = sa.exists().where(_users.c.device_id == _enrolled.c.id, _users.c.type == SHARED_USER)
    return (
        sa.select(
            _enrolled.c.id,
            _enrolled.c.type,
            _enrolled.c.enabled,
            _devices.c.authenticate,
            shared.label("shared"),
            _moment(connection, _enrolled.c.last_seen_at),
            _moment(connection, _devices.c.authenticate_at),
        )
        .join_from(_enrolled, _devices, _devices.c.id == _enrolled.c.device_id)
        .where(_OF_DEVICES, _enrolled.c.id > after)
        .order_by(_enrolled.c.id)
        .limit(size)
    )


def _last_answers(connection: sa.Connection, ids: list[str]) -> sa.Executable:
    """The last few to each command, for the newest may be one that was asked for less."""
    place = sa.func.row_number().over(
        partition_by=(_results.c.id, _commands.c.request_type), order_by=_results.c.updated_at.desc()
    )
    answered_at = _moment(connection, _results.c.updated_at)
    ranked = (
        sa.select(_results.c.id, _results.c.result, answered_at, place.label("place"))
        .join_from(_results, _commands, _commands.c.command_uuid == _results.c.command_uuid)
        .where(_results.c.id.in_(ids), _results.c.status == "Acknowledged")
        .where(_commands.c.request_type.in_(_COMMANDS))
        .subquery()
    )
    return sa.select(ranked).where(ranked.c.place <= _ANSWERS_EACH)


def _moment(connection: sa.Connection, column: sa.ColumnElement[datetime]) -> sa.Label[datetime]:
    # PostgreSQL's columns hold the wall clock of the server's own zone; the cast reads them in it.
    zoned = connection.dialect.name == "postgresql"
    return (sa.cast(column, sa.TIMESTAMP(timezone=True)) if zoned else column).label(str(column.key))


def _batch(connection: sa.Connection, rows: Sequence[sa.Row[Any]], total: int) -> Batch:
    devices: dict[str, Enrolment] = {}
    unread = 0
    for row in rows:
        devices[row.id] = Enrolment(
            native_id=_wire.clean(row.id),
            personal=row.type == PERSONAL_DEVICE,
            shared=bool(row.shared),
            seen_at=_aware(row.last_seen_at),
            managed=bool(row.enabled),
        )
        unread += _unless_taken(devices[row.id].enrolled, row.authenticate_at, row.authenticate)
    for answer in connection.execute(_last_answers(connection, list(devices))):
        unread += _unless_taken(devices[answer.id].answered, answer.updated_at, answer.result)
    return Batch(list(devices.values()), unread, total)


def _unless_taken(take: Callable[[datetime, Plist], None], at: datetime, plist: str) -> int:
    try:
        take(_aware(at), read_plist(plist.encode()))
    except ValueError:
        return 1
    return 0


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fault(error: SQLAlchemyError, place: str) -> SourceError:
    said = str(getattr(error, "orig", None) or error).lower()
    for words, kind, why in _FAULTS:
        if any(word in said for word in words):
            return kind(f"{place} {why}")
    return Unreachable(
        f"{place} cannot be read ({type(error).__name__}): check its URL, the server and the network"
    )


_FAULTS: tuple[tuple[tuple[str, ...], type[SourceError], str], ...] = (
    (
        ("password authentication failed", "no password supplied", "access denied for user"),
        AuthRefused,
        "refuses the credential: check the user in its URL, and password",
    ),
    (("permission denied", "command denied"), PermissionMissing, f"may not be read: grant {READ_TABLES}"),
    (
        ("no such table", "does not exist", "doesn't exist"),
        NotFound,
        "holds no tables of NanoMDM: check the name of the database in its URL",
    ),
)
