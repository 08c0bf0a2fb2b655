"""The tables. Units: times are UTC with whole seconds, sizes are bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from fleet.model.device import (
    FLAG_SIGNALS,
    LIST_SIGNALS,
    NUMBER_SIGNALS,
    SIGNALS,
    SIZE_SIGNALS,
    TIME_SIGNALS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

Row: TypeAlias = sa.Row[*tuple[Any, ...]]
"""A row of any width: its columns are named where they are selected."""

FAST = (
    "available_bytes",
    "last_cloud_backup_at",
    "last_local_backup_at",
    "inventory_at",
    "checkin_at",
    "battery_percent",
)
"""Signals that change nearly every night; the others are slow."""
SLOW = tuple(signal for signal in SIGNALS if signal not in FAST)


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC: a real timestamp on PostgreSQL, whole seconds since 1970 on SQLite (a sixth of the text)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:  # SQLAlchemy's own signature
        """An integer where the database has no timestamp of its own."""
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        """Seconds for SQLite; a time without a zone is a bug, not a guess."""
        if value is None:
            return None
        return _seconds(value) if dialect.name == "sqlite" else _aware(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - int or datetime
        """Always an aware time in UTC."""
        if value is None:
            return None
        return datetime.fromtimestamp(value, UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def moment_for(dialect: Dialect) -> Callable[[datetime], object]:
    """How a moment is handed to the driver without SQLAlchemy in between: as `UtcTime` does it."""
    return _seconds if dialect.name == "sqlite" else _aware


def _aware(moment: datetime) -> datetime:
    """The moment; one without a zone is a bug, not a guess."""
    if moment.tzinfo is None:
        raise ValueError("a stored time needs a zone")
    return moment


def _seconds(moment: datetime) -> int:
    return int(_aware(moment).timestamp())


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

source = sa.Table(
    "source",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String(64), nullable=False),
    comment="A configured source; its name is its identity",
)

shared_run = sa.Table(
    "shared_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("as_of", UtcTime, nullable=False, comment="The clock of all who take part"),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("sources", sa.String(64), nullable=False, comment="Digest of the names of all that it reads"),
    sa.Column("reported_at", UtcTime, comment="NULL until its report is in place and told of"),
    comment="A run that several processes share by its name",
)

collection = sa.Table(
    "collection",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, sa.ForeignKey("source.id"), nullable=False),
    sa.Column("shared_run_id", Id, sa.ForeignKey("shared_run.id"), index=True),
    sa.Column("as_of", UtcTime, nullable=False, comment="The clock of this collection"),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime),
    sa.Column("outcome", sa.String(16), comment="complete, partial or failed; NULL while under way"),
    sa.Column("devices", sa.Integer, nullable=False, server_default="0"),
    sa.Column("expected", sa.Integer, comment="The total that the source stated"),
    sa.Column("unreadable", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reported", sa.JSON, nullable=False, comment="The signals that this source reports"),
    sa.Column("problems", sa.JSON, nullable=False),
    sa.Column(
        "terms", sa.String(32), nullable=False, comment="Fingerprint of the settings and program that read it"
    ),
    sa.Column(
        "full_id", Id, sa.ForeignKey("collection.id"), comment="The full walk it went on from; NULL for one"
    ),
    sa.Column("since", UtcTime, comment="From when on it read what had reported; NULL for a full walk"),
    sa.Column("read", sa.Integer, comment="Records it read, of all its devices; NULL for a full walk"),
    sa.Index("ix_collection_source_id_id", "source_id", "id"),
    comment="One attempt to read one source",
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "key", sa.String(32), nullable=False, unique=True, comment="Fingerprint of the identity, for ever"
    ),
    sa.Column("serial", sa.String(255), index=True),
    sa.Column("udid", sa.String(255), index=True),
    comment="One device, whichever sources know it",
)

source_device = sa.Table(
    "source_device",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, sa.ForeignKey("source.id"), nullable=False),
    sa.Column("native_id", sa.String(255), nullable=False, comment="The vendor's own id"),
    sa.Column("device_id", Id, sa.ForeignKey("device.id"), nullable=False, index=True),
    sa.Column(
        "current",
        sa.Boolean,
        nullable=False,
        server_default=sa.true(),
        comment="False once the id told of another device",
    ),
    sa.UniqueConstraint("source_id", "native_id", "device_id"),
    comment="One record of one source; it never changes its device",
)

device_merge = sa.Table(
    "device_merge",
    metadata,
    sa.Column("device_id", Id, sa.ForeignKey("device.id"), primary_key=True),
    sa.Column("into_device_id", Id, sa.ForeignKey("device.id"), nullable=False),
    sa.Column(
        "collection_id", Id, sa.ForeignKey("collection.id"), nullable=False, comment="The one that showed it"
    ),
    comment="Devices that turned out to be other, older ones",
)

gap_set = sa.Table(
    "gap_set",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "reasons", sa.String(2000), nullable=False, unique=True, comment="signal=reason, sorted, spaced"
    ),
    comment="The few combinations of missing signals and their reasons that a fleet has",
)


def _signal_column(name: str) -> sa.Column[Any]:
    if name in TIME_SIGNALS:
        return sa.Column(name, UtcTime)
    if name in SIZE_SIGNALS:
        return sa.Column(name, sa.BigInteger)
    if name in NUMBER_SIGNALS:
        return sa.Column(name, sa.SmallInteger)
    if name in FLAG_SIGNALS:
        return sa.Column(name, sa.Boolean)
    if name in LIST_SIGNALS:
        return sa.Column(name, sa.Text, comment="A JSON list of names")
    return sa.Column(name, sa.String(255))


record = sa.Table(
    "record",
    metadata,
    sa.Column("source_device_id", Id, sa.ForeignKey("source_device.id"), primary_key=True),
    sa.Column("from_collection_id", Id, sa.ForeignKey("collection.id"), primary_key=True),
    sa.Column(
        "to_collection_id", Id, sa.ForeignKey("collection.id"), comment="The first it no longer holds for"
    ),
    sa.Column("digest", sa.BigInteger, nullable=False, comment="Of the slow signals and all gaps"),
    sa.Column("gap_set_id", Id, sa.ForeignKey("gap_set.id"), nullable=False),
    *(_signal_column(name) for name in SLOW),
    comment="Slow signals, one row per change",
    sqlite_with_rowid=False,
)

reading = sa.Table(
    "reading",
    metadata,
    sa.Column("collection_id", Id, sa.ForeignKey("collection.id"), primary_key=True),
    sa.Column("source_device_id", Id, sa.ForeignKey("source_device.id"), primary_key=True),
    *(_signal_column(name) for name in FAST),
    comment="Fast signals, one narrow row per device and collection that read it",
    sqlite_with_rowid=False,
)

absence = sa.Table(
    "absence",
    metadata,
    sa.Column("source_device_id", Id, sa.ForeignKey("source_device.id"), primary_key=True),
    sa.Column("from_collection_id", Id, sa.ForeignKey("collection.id"), primary_key=True),
    sa.Column("to_collection_id", Id, sa.ForeignKey("collection.id"), comment="The one that saw it again"),
    sa.Column(
        "last_collection_id", Id, sa.ForeignKey("collection.id"), nullable=False, comment="Last that saw it"
    ),
    comment="Times during which complete collections did not contain a record",
    sqlite_with_rowid=False,
)

catalog = sa.Table(
    "catalog",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("content", sa.Text, nullable=False),
    comment="Apple models and releases that runs judged by; the same content once",
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("as_of", UtcTime, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime, comment="NULL while under way"),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("hold", sa.Boolean, nullable=False),
    sa.Column("chained", sa.Boolean, nullable=False, comment="False for a second look at a past night"),
    sa.Column("previous_id", Id, sa.ForeignKey("run.id"), comment="The run whose findings it went on from"),
    sa.Column("shared_run_id", Id, sa.ForeignKey("shared_run.id"), unique=True),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column(
        "settings", sa.JSON, nullable=False, comment="Policy, waivers, title: all that judged, no secrets"
    ),
    sa.Column("policy_hash", sa.String(64), nullable=False),
    sa.Column("catalog_id", Id, sa.ForeignKey("catalog.id"), nullable=False),
    sa.Column("catalog_date", sa.String(32), nullable=False, comment="The day as of which it was known"),
    sa.Column("apple_status", sa.JSON(none_as_null=True), comment="Apple's System Status; NULL if not known"),
    sa.Column("totals", sa.JSON),
    sa.Column(
        "pruned",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="What it judged was forgotten, so it cannot be made again",
    ),
    sa.Column(
        "erasures",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="How often a device or person was forgotten that it had judged",
    ),
    sa.Column("notes", sa.JSON, nullable=False),
    comment="One judgement of the fleet",
)

run_source = sa.Table(
    "run_source",
    metadata,
    sa.Column("run_id", Id, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("source_id", Id, sa.ForeignKey("source.id"), primary_key=True),
    sa.Column("collection_id", Id, sa.ForeignKey("collection.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    comment="The collection of each source that a run judged",
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("external_id", sa.String(32), nullable=False, unique=True),
    sa.Column("device_id", Id, sa.ForeignKey("device.id"), index=True, comment="NULL for a fleet incident"),
    sa.Column("problem", sa.String(64), nullable=False),
    comment="One problem of one device, for ever",
)

finding_version = sa.Table(
    "finding_version",
    metadata,
    sa.Column("finding_id", Id, sa.ForeignKey("finding.id"), primary_key=True),
    sa.Column("from_run_id", Id, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("to_run_id", Id, sa.ForeignKey("run.id"), comment="The first it no longer holds for"),
    sa.Column("condition", sa.String(16), nullable=False),
    sa.Column("check", sa.String(64), nullable=False),
    sa.Column("held", sa.JSON, nullable=False, comment="Every check of the problem that held"),
    sa.Column("basis", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("fixes", sa.JSON, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("observed_at", UtcTime, nullable=False),
    sa.Column("first_seen", UtcTime, nullable=False),
    sa.Column("last_seen", UtcTime, comment="NULL while every run since has shown it"),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("clean_runs", sa.Integer, nullable=False),
    sa.Column(
        "ticket",
        sa.String(16),
        nullable=False,
        comment="What the ticketing system was last told: none, open, closed",
    ),
    sa.Column("told", sa.String(200), comment="Check, severity and cause that it was told"),
    sa.Column("reason", sa.String(64)),
    sa.Column("waiver_until", UtcTime),
    comment="The life of a finding, one row per change",
    sqlite_with_rowid=False,
)

waiver = sa.Table(
    "waiver",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("checks", sa.JSON, nullable=False, comment="Check ids, or *"),
    sa.Column("scope", sa.JSON, nullable=False, comment="Serials, sites, groups, models, sources"),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("expires", sa.Date, nullable=False, comment="The last day on which it holds, UTC"),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False, comment="The user of the operating system"),
    sa.Column("revoked_at", UtcTime),
    sa.Column("revoked_by", sa.String(200)),
    comment="Waivers given on the command line; those of the settings file stand there",
)

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True, comment="As in the settings"),
    sa.Column("run_id", Id, sa.ForeignKey("run.id"), nullable=False),
    sa.Column("at", UtcTime, nullable=False, comment="The wall clock of the last try"),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("problem", sa.String(500), comment="Why it did not get through; NULL if it did"),
    comment="What became of each notification's last message",
)

token_key = sa.Table(
    "token_key",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(64), nullable=False, comment="32 bytes in hex"),
    comment="The key of the tokens in redacted reports; one row, or none before the first of them",
)
