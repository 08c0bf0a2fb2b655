"""`fleetkeep.toml`: found, read, and checked as a whole before anything starts.

Whatever is wrong is said at once, one line each: file, table, key, what was found and what is allowed. What
stands where a secret belongs is never repeated.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Self, TypeAlias, TypeVar, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from fleet.errors import SecretUnavailable, SettingsError, StoreError
from fleet.model.brand import fault_of
from fleet.model.policy import Policy
from fleet.model.waiver import EVERY_CHECK, Waiver
from fleet.secrets import WAYS, SecretRef, reference
from fleet.toml_table import File, Table, checked, keys_of, nearest, parsed, shown

FILE_NAME = "fleetkeep.toml"
VARIABLE = "FLEETKEEP_CONFIG"
PERSONAL = ("name", "asset_tag", "user_name", "user_email", "department", "groups")
"""The signals that `[privacy] omit` may leave out: what tells of people, and no check needs."""
_IDENTITY = ("serial", "udid")
DEFAULT_FORMATS = ("html", "csv", "json", "metrics")
_SQLITE = "sqlite:///"
_POSTGRES = "postgresql+psycopg://"

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
Line: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Lines: TypeAlias = Annotated[tuple[Line, ...], Field(min_length=1)]
Resolver: TypeAlias = Callable[[SecretRef], SecretStr]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig(Generic[S]):
    """One `[[source]]`, or one `[[notify]]`: a table whose kind decides its keys.

    Attributes:
        table: which of the two, for messages.
        settings: its checked keys; secret ones hold a placeholder.
        secrets: for each secret key that is set, where its value is.
    """

    name: str
    kind: str
    enabled: bool
    settings: S
    secrets: Mapping[str, SecretRef]
    table: str = "source"

    def opened(self, resolver: Resolver) -> S:
        """The settings with their secrets; raises `SecretUnavailable` naming source, key and reference."""
        values: dict[str, SecretStr] = {}
        for key, ref in self.secrets.items():
            try:
                values[key] = resolver(ref)
            except SecretUnavailable as error:
                raise SecretUnavailable(f'{self.table} "{self.name}": {key}: {error}') from error
        return self.settings.model_copy(update=values)


def _feed_address(value: str) -> str:
    fault = _address_fault(value)
    if fault:
        found, _, allowed = fault.partition("; ")
        raise ValueError(f"{found}; take them out" if found.startswith("carries") else allowed)
    return value


def _bundle(value: bool | Path) -> bool | Path:
    if value is False:
        raise ValueError("should be true or the path of a CA bundle (PEM)")
    return value


FeedAddress: TypeAlias = Annotated[str, AfterValidator(_feed_address)]


class Catalog(BaseModel):
    """`[catalog]`: whether a run asks Apple's public feeds, which of them, where, and by which certificates.

    Attributes:
        refresh: ask before a judgement; the run goes on without an answer.
        feeds: which of them.
        sofa_url: where `sofa` is, or a mirror of it.
        gdmf_url: likewise `gdmf`.
        status_url: likewise `status`.
        verify: a CA bundle for all feeds, where a mirror or a network that looks into TLS has its own.
        apple_root: Apple Root CA in a file, where it cannot be fetched from Apple; for `gdmf` at Apple alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    refresh: bool = True
    feeds: tuple[Literal["sofa", "gdmf", "status"], ...] = ("sofa", "gdmf", "status")
    sofa_url: FeedAddress = "https://sofafeed.macadmins.io/v2/ios_data_feed.json"
    gdmf_url: FeedAddress = "https://gdmf.apple.com/v2/pmv"
    status_url: FeedAddress = "https://www.apple.com/support/systemstatus/data/system_status_en_US.js"
    verify: Annotated[bool | Path, AfterValidator(_bundle)] = True
    apple_root: Path | None = None


def _folder_address(value: str) -> str:
    parts = _split(value)
    if parts is None or parts.scheme not in _WEB or not parts.hostname or {"@", "?", "#"} & set(value):
        raise ValueError("should be http:// or https:// with a host, and without user, ? and #")
    return value if value.endswith("/") else f"{value}/"


def _accent(value: str) -> str:
    fault = fault_of(value.lower())
    if fault:
        raise ValueError(fault)
    return value.lower()


class Report(BaseModel):
    """`[report]`; `directory` and `logo` are absolute, `base_url` ends with a slash, `accent` is readable.

    Attributes:
        directory: where reports go: `latest/`, and a directory for each run.
        title: what the report is called.
        formats: what is written.
        base_url: where readers find `latest/`; makes the links in CSV and JSON absolute.
        logo: a picture for the head of the page: PNG, JPEG, WebP or SVG of at most 64 KB.
        accent: the colour of links and bars, as `#0b5cad`; has to be readable on white.
        footer: a line at the end of every page.
        split_by: a report for each of them as well, in `slices/`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Path = Path("reports-out")
    title: Line = "iPad and iPhone backups"
    formats: Lines = DEFAULT_FORMATS
    base_url: Annotated[str, AfterValidator(_folder_address)] | None = None
    logo: Path | None = None
    accent: Annotated[str, AfterValidator(_accent)] | None = None
    footer: Line | None = None
    split_by: Literal["site", "group", "source"] | None = None


class Privacy(BaseModel):
    """`[privacy]`: which signals are never stored, and for how long nights are kept.

    Attributes:
        omit: of `name`, `asset_tag`, `user_name`, `user_email`, `department` and `groups`, what is never stored.
        keep_days: a run forgets nights older than that; without it all are kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    omit: tuple[str, ...] = ()
    keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = None


class Run(BaseModel):
    """`[run]`.

    Attributes:
        deadline_minutes: for the reading of all sources together; what came by then is judged and reported.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    deadline_minutes: Annotated[float, Field(gt=0, le=10_080)] = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Generic[S]):
    """Everything that the settings file says, checked.

    Attributes:
        path: the file, absolute.
        sources: in the order of the file; those with `enabled = false` too; maybe none.
        notify: likewise, the notifications.
    """

    path: Path
    database: Database
    report: Report
    policy: Policy
    sources: tuple[SourceConfig[S], ...]
    waivers: tuple[Waiver, ...]
    catalog: Catalog
    notify: tuple[SourceConfig[Any], ...] = ()
    privacy: Privacy = field(default_factory=Privacy)
    run: Run = field(default_factory=Run)

    @property
    def base(self) -> Path:
        """The folder to which the file's relative paths are relative."""
        return self.path.parent


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The settings file: `explicit`, else what `environ` names, else the first usual place with one.

    Raises:
        SettingsError: there is none; names the places looked at.
    """
    named = explicit or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        if not _is_there(named):
            who = "--config" if explicit else VARIABLE
            raise SettingsError(f"{named} ({who}) does not exist; `fleetkeep init {named}` writes one")
        return named
    places = _usual_places()
    for place in places:
        if _is_there(place):
            return place
    looked = ", ".join(map(str, places))
    raise SettingsError(f"no settings file at {looked}; `fleetkeep init` writes one, --config names another")


def _usual_places() -> list[Path]:
    folders = (
        platformdirs.user_config_path("fleetkeep", appauthor=False),
        platformdirs.site_config_path("fleetkeep", appauthor=False),
    )
    return [Path(FILE_NAME), *(folder / FILE_NAME for folder in folders)]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def load(
    path: Path,
    kinds: Mapping[str, type[S]],
    *,
    known_checks: Collection[str],
    known_formats: Collection[str],
    channels: Mapping[str, type[BaseModel]] | None = None,
) -> Settings[S]:
    """The settings in the file at `path`; `kinds` gives the settings model of each kind of source.

    Args:
        channels: likewise, that of each kind of notification.

    Raises:
        SettingsError: one line for each thing that is wrong.
    """
    path = path.absolute()
    file = File(tables=parsed(path), faults=[])
    database = _database(file.one("database"), path.parent)
    report = _report(file.one("report"), path.parent, known_formats)
    policy = _policy(file.one("policy"))
    source_tables = file.many("source")
    sources = _sources(source_tables, path.parent, kinds)
    catalog = checked(_anchored(file.one("catalog"), Catalog, path.parent), Catalog)
    privacy = _privacy(file.one("privacy"))
    run = checked(file.one("run"), Run)
    waivers = _waivers(file.many("waiver"), known_checks, _names(source_tables))
    notify = _notify(file.many("notify"), path.parent, channels or {}, _names(source_tables))
    file.refuse_unknown(_TABLES)
    if file.faults or not (database and report and catalog and privacy and run):
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in file.faults))
    return Settings(
        path=path,
        database=database,
        report=report,
        policy=policy,
        sources=sources,
        waivers=waivers,
        catalog=catalog,
        notify=notify,
        privacy=privacy,
        run=run,
    )


class DatabaseKeys(BaseModel):
    """`[database]`.

    Attributes:
        url: `sqlite:///` and a file, or `postgresql+psycopg://USER@HOST/NAME` (extra `postgres`).
        password: PostgreSQL's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = f"{_SQLITE}fleetkeep.db"
    password: SecretStr | None = None


def _database(table: Table, base: Path) -> Database | None:
    table, refs = _referenced(table, DatabaseKeys)
    keys = checked(table, DatabaseKeys)
    if keys is None:
        return None
    if keys.url.startswith(_SQLITE):
        return _sqlite(table, base / keys.url.removeprefix(_SQLITE))
    fault = _postgres_fault(keys.url)
    if fault:
        table.fault("url", fault)
    return Database(url=keys.url, path=None, password=refs.get("password"))


def _sqlite(table: Table, path: Path) -> Database:
    if path.name in {"", ":memory:"} or path.is_dir() or "?" in str(path) or not str(path).isprintable():
        table.fault("url", f"should name a file, as {_SQLITE}fleetkeep.db does, without ? in its path")
    if "password" in table.rows:
        table.fault("password", "an SQLite file has none; delete this line")
    return Database(url=f"{_SQLITE}{path.as_posix()}", path=path, password=None)


def _postgres_fault(url: str) -> str | None:
    parts = _split(url)
    if not url.startswith(_POSTGRES) or parts is None:
        found = shown(url) if "://" in url else "a text"
        return f"found {found}; should be {_SQLITE}FILE or {_POSTGRES}USER@HOST/NAME"
    # Not `parts.password`: a password with a slash in it ends the host for urlsplit, but not for SQLAlchemy.
    user = url.removeprefix(_POSTGRES).partition("?")[0].rpartition("@")[0]
    if ":" in user or any(
        "password" in key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)
    ):
        return f"carries a password; take it out and add a line `password`: {WAYS}"
    return None


def _report(table: Table, base: Path, known_formats: Collection[str]) -> Report | None:
    report = checked(table, Report)
    if report is None:
        return None
    _refuse_strangers(table, "formats", report.formats, known_formats)
    formats = tuple(dict.fromkeys(report.formats))
    logo = base / report.logo if report.logo else None
    return report.model_copy(update={"directory": base / report.directory, "formats": formats, "logo": logo})


def _privacy(table: Table) -> Privacy | None:
    privacy = checked(table, Privacy)
    for signal in privacy.omit if privacy else ():
        if signal in _IDENTITY:
            table.fault(
                "omit", f"found {shown(signal)}; without it one device could not be told from another"
            )
        elif signal not in PERSONAL:
            table.fault("omit", f"found {shown(signal)}; {nearest(signal, PERSONAL)}")
    return privacy


def _policy(table: Table) -> Policy:
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


def _refuse_namesakes(tables: list[Table], what: str) -> None:
    numbers: dict[str, int] = {}
    for number, table in enumerate(tables, 1):
        name = str(table.rows.get("name", number))
        if name in numbers:
            table.fault("name", f"{what} number {numbers[name]} and {number} share it; should be unique")
        numbers.setdefault(name, number)


def _sources(tables: list[Table], base: Path, kinds: Mapping[str, type[S]]) -> tuple[SourceConfig[S], ...]:
    _refuse_namesakes(tables, "sources")
    configs = (_source(table, base, kinds) for table in tables)
    return tuple(config for config in configs if config is not None)


def _source(table: Table, base: Path, kinds: Mapping[str, type[S]]) -> SourceConfig[S] | None:
    model = _model(table, kinds)
    if model is None:
        return None
    table, refs = _referenced(table, model)
    _refuse_addresses(table)
    settings = checked(_anchored(table, model, base), model)
    if settings is None:
        return None
    common = settings.model_dump(include={"name", "kind", "enabled"})
    return SourceConfig(**common, settings=settings, secrets=refs)


def _model(table: Table, kinds: Mapping[str, type[M]]) -> type[M] | None:
    """The model of the table's kind; None after taking down that there is none such."""
    kind = table.rows.get("kind")
    if isinstance(kind, str) and kind in kinds:
        return kinds[kind]
    found = "is required" if kind is None else f"found {shown(kind)}"
    table.fault("kind", f"{found}; {nearest(kind if isinstance(kind, str) else '', kinds)}")
    return None


def _notify(
    tables: list[Table],
    base: Path,
    channels: Mapping[str, type[BaseModel]],
    known_sources: Collection[str],
) -> tuple[SourceConfig[Any], ...]:
    _refuse_namesakes(tables, "notifications")
    configs: list[SourceConfig[Any]] = []
    for table in tables:
        model = _model(table, channels)
        if model is None:
            continue
        bare, refs = _referenced(table, model)
        settings = checked(_anchored(bare, model, base), model)
        if settings is not None:
            _refuse_strangers(table, "sources", getattr(settings, "sources", ()), known_sources)
            common = settings.model_dump(include={"name", "kind", "enabled"})
            configs.append(SourceConfig(**common, settings=settings, secrets=refs, table="notify"))
    return tuple(configs)


def _referenced(table: Table, model: type[BaseModel]) -> tuple[Table, dict[str, SecretRef]]:
    """The table with a placeholder for each of the model's secrets, and where their values are."""
    refs: dict[str, SecretRef] = {}
    secret_keys = [key for key in keys_of(model, SecretStr) if key in table.rows]
    for key in secret_keys:
        try:
            refs[key] = reference(table.rows[key])
        except ValueError as error:
            table.fault(key, str(error))
    return replace(table, rows={**table.rows, **dict.fromkeys(secret_keys, "placeholder")}), refs


def _anchored(table: Table, model: type[BaseModel], base: Path) -> Table:
    """The table with its relative paths made absolute."""
    keys = {*keys_of(model, Path), *_PATH_KEYS}
    found = {key: value for key, value in table.rows.items() if key in keys}
    anchored = {key: str(base / value) for key, value in found.items() if isinstance(value, str)}
    return replace(table, rows={**table.rows, **anchored})


def _refuse_addresses(table: Table) -> None:
    for key in _ADDRESS_KEYS:
        value = table.rows.get(key)
        fault = _address_fault(value) if isinstance(value, str) else None
        if fault:
            table.fault(key, fault)


def _address_fault(value: str) -> str | None:
    parts = _split(value)
    if parts is None or parts.scheme not in _WEB or not parts.hostname:
        return f"found {shown(value)}; should be an address that starts with https:// and a host"
    if "@" in parts.netloc:
        return "carries a user or a password; take them out, they have keys of their own"
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        return "found http://; should be https:// (http:// is for localhost, 127.0.0.1 and [::1] only)"
    return None


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts if value.isprintable() and " " not in value else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class WaiverKeys(BaseModel):
    """`[[waiver]]`: a problem accepted on some devices until a day; a device must be within every scope given.

    Attributes:
        checks: ids of checks, or `*` for all.
        serials: these devices.
        sites: devices of these sites.
        groups: likewise, groups.
        models: likewise, models by name or identifier.
        sources: likewise, sources by their names.
        reason: why it is accepted.
        owner: who answers for it.
        expires: the last day on which it holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checks: Lines
    serials: Lines = ()
    sites: Lines = ()
    groups: Lines = ()
    models: Lines = ()
    sources: Lines = ()
    reason: Line
    owner: Line
    expires: date

    @model_validator(mode="after")
    def _has_a_scope(self) -> Self:
        if not (self.serials or self.sites or self.groups or self.models or self.sources):
            raise ValueError("needs at least one of serials, sites, groups, models, sources")
        return self


def _waivers(
    tables: list[Table], known_checks: Collection[str], known_sources: Collection[str]
) -> tuple[Waiver, ...]:
    waivers: list[Waiver] = []
    for table in tables:
        keys = checked(table, WaiverKeys)
        if keys is not None:
            _refuse_strangers(table, "checks", keys.checks, {EVERY_CHECK, *known_checks})
            _refuse_strangers(table, "sources", keys.sources, known_sources)
            waivers.append(Waiver(**keys.model_dump()))
    return tuple(waivers)


def _names(tables: list[Table]) -> list[str]:
    return [name for table in tables if isinstance(name := table.rows.get("name"), str)]


def _refuse_strangers(table: Table, key: str, found: Iterable[str], known: Collection[str]) -> None:
    for word in found:
        if word not in known:
            table.fault(key, f"found {shown(word)}; {nearest(word, sorted(known))}")


_TABLES = ("database", "report", "policy", "privacy", "run", "source", "catalog", "waiver", "notify")
_WEB = ("http", "https")
_ADDRESS_KEYS = ("url", "token_url", "login_url")
_PATH_KEYS = ("path", "events", "certificate")  # some kinds declare a glob, and so a text
_MOST = 36_500  # a century of days; beyond, dates overflow
_ORDER = (
    ("backup_warn_days", "backup_high_days", True),
    ("backup_high_days", "backup_critical_days", True),
    ("backup_critical_days", "backup_expiring_days", False),
    ("storage_high_percent_free", "storage_warn_percent_free", True),
    ("storage_critical_gb_free", "storage_high_gb_free", True),
)
