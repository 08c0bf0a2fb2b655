"""From the tables that are not of a kind to what they say, checked beyond what their models can tell."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from fleet.errors import SecretUnavailable, StoreError
from fleet.model.policy import Policy
from fleet.model.waiver import EVERY_CHECK, Waiver
from fleet.secrets import WAYS, SecretRef
from fleet.settings._addresses import split
from fleet.settings._kinds import Resolver, referenced
from fleet.settings._models import POSTGRES, SQLITE, DatabaseKeys, Privacy, Report, WaiverKeys
from fleet.settings._shared import refuse_strangers
from fleet.toml_table import Table, checked, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pydantic import SecretStr

PERSONAL = ("name", "asset_tag", "user_name", "user_email", "department", "groups")
"""The signals that `[privacy] omit` may leave out: what tells of people, and no check needs."""
_IDENTITY = ("serial", "udid")
_MOST = 36_500  # a century of days; beyond, dates overflow
_ORDER = (
    ("backup_warn_days", "backup_high_days", True),
    ("backup_high_days", "backup_critical_days", True),
    ("backup_critical_days", "backup_expiring_days", False),
    ("storage_high_percent_free", "storage_warn_percent_free", True),
    ("storage_critical_gb_free", "storage_high_gb_free", True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where the database is.

    Attributes:
        url: for SQLAlchemy, without a password; the path of a SQLite file is absolute.
        path: the SQLite file; None for PostgreSQL.
        password: where PostgreSQL's password is, if it needs one.
    """

    url: str
    path: Path | None
    password: SecretRef | None

    def opened(self, resolver: Resolver) -> SecretStr | None:
        """The password, or None where none is set; raises `StoreError` where it cannot be had."""
        try:
            return self.password and resolver(self.password)
        except SecretUnavailable as error:
            raise StoreError(f"[database] password: {error}") from error


def database(table: Table, base: Path) -> Database | None:
    """Where `[database]` says that it is; None after taking down what is wrong."""
    table, refs = referenced(table, DatabaseKeys)
    keys = checked(table, DatabaseKeys)
    if keys is None:
        return None
    if keys.url.startswith(SQLITE):
        return _sqlite(table, base / keys.url.removeprefix(SQLITE))
    fault = _postgres_fault(keys.url)
    if fault:
        table.fault("url", fault)
    return Database(url=keys.url, path=None, password=refs.get("password"))


def _sqlite(table: Table, path: Path) -> Database:
    if path.name in {"", ":memory:"} or path.is_dir() or "?" in str(path) or not str(path).isprintable():
        table.fault("url", f"should name a file, as {SQLITE}fleetkeep.db does, without ? in its path")
    if "password" in table.rows:
        table.fault("password", "an SQLite file has none; delete this line")
    return Database(url=f"{SQLITE}{path.as_posix()}", path=path, password=None)


def _postgres_fault(url: str) -> str | None:
    parts = split(url)
    if not url.startswith(POSTGRES) or parts is None:
        found = shown(url) if "://" in url else "a text"
        return f"found {found}; should be {SQLITE}FILE or {POSTGRES}USER@HOST/NAME"
    # Not `parts.password`: a password with a slash in it ends the host for urlsplit, but not for SQLAlchemy.
    user = url.removeprefix(POSTGRES).partition("?")[0].rpartition("@")[0]
    if ":" in user or any(
        "password" in key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)
    ):
        return f"carries a password; take it out and add a line `password`: {WAYS}"
    return None


def report(table: Table, base: Path, known_formats: Collection[str]) -> Report | None:
    """`[report]`, with absolute paths; None likewise."""
    report = checked(table, Report)
    if report is None:
        return None
    refuse_strangers(table, "formats", report.formats, known_formats)
    formats = tuple(dict.fromkeys(report.formats))
    logo = base / report.logo if report.logo else None
    return report.model_copy(update={"directory": base / report.directory, "formats": formats, "logo": logo})


def privacy(table: Table) -> Privacy | None:
    """`[privacy]`; None likewise."""
    privacy = checked(table, Privacy)
    for signal in privacy.omit if privacy else ():
        if signal in _IDENTITY:
            table.fault(
                "omit", f"found {shown(signal)}; without it one device could not be told from another"
            )
        elif signal not in PERSONAL:
            table.fault("omit", f"found {shown(signal)}; {nearest(signal, PERSONAL)}")
    return privacy


def policy(table: Table) -> Policy:
    """`[policy]`: the defaults in place of what is wrong."""
    types = {field.name: str(field.type) for field in fields(Policy)}
    given: dict[str, float] = {}
    for key, value in table.rows.items():
        if key not in types:
            table.fault(key, f"unknown key; {nearest(key, types)}")
        elif not _is_threshold(key, value, types[key]):
            table.fault(key, f"found {shown(value)}; should be {_threshold(key, types[key])}")
        else:
            given[key] = float(cast("float", value)) if types[key] == "float" else cast("int", value)
    policy = replace(Policy(), **given)
    _refuse_disorder(table, policy)
    return policy


def _is_threshold(key: str, value: object, type_name: str) -> bool:
    accepted = int if type_name == "int" else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted):
        return False
    return 0 <= value <= 100 if "percent" in key else 0 < value <= _MOST  # noqa: PLR2004 - the whole


def _threshold(key: str, type_name: str) -> str:
    what = "a whole number" if type_name == "int" else "a number"
    return f"{what} from 0 to 100" if "percent" in key else f"{what} above 0, at most {_MOST}"


def _refuse_disorder(table: Table, policy: Policy) -> None:
    for lower, upper, may_be_equal in _ORDER:
        low, high = float(getattr(policy, lower)), float(getattr(policy, upper))
        if low > high or (low == high and not may_be_equal):
            relation = "at least" if may_be_equal else "more than"
            table.fault(upper, f"is {high:g}; should be {relation} {lower}, which is {low:g}")


def waivers(
    tables: list[Table], known_checks: Collection[str], known_sources: Collection[str]
) -> tuple[Waiver, ...]:
    """Every `[[waiver]]`, without those that are wrong."""
    waivers: list[Waiver] = []
    for table in tables:
        keys = checked(table, WaiverKeys)
        if keys is not None:
            refuse_strangers(table, "checks", keys.checks, {EVERY_CHECK, *known_checks})
            refuse_strangers(table, "sources", keys.sources, known_sources)
            waivers.append(Waiver(**keys.model_dump()))
    return tuple(waivers)
