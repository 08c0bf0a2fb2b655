"""The keys of each table that is not of a kind: what they take, and what they are when left out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from fleet.model.brand import fault_of
from fleet.settings._addresses import WEB, address_fault, split

DEFAULT_FORMATS = ("html", "csv", "json", "metrics")
SQLITE = "sqlite:///"
POSTGRES = "postgresql+psycopg://"
Line: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Lines: TypeAlias = Annotated[tuple[Line, ...], Field(min_length=1)]


class DatabaseKeys(BaseModel):
    """`[database]`.

    Attributes:
        url: `sqlite:///` and a file, or `postgresql+psycopg://USER@HOST/NAME` (extra `postgres`).
        password: PostgreSQL's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = f"{SQLITE}fleetkeep.db"
    password: SecretStr | None = None


def _folder_address(value: str) -> str:
    parts = split(value)
    if parts is None or parts.scheme not in WEB or not parts.hostname or {"@", "?", "#"} & set(value):
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


def _feed_address(value: str) -> str:
    fault = address_fault(value)
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
