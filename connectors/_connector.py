"""The contract of every connector: what it can report, what it needs, and how its pages are walked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import httpx

    from fleet.model.device import DeviceRecord, Rejected
    from fleet.model.run import Trouble


class SourceSettings(BaseModel):
    """The keys that every `[[source]]` may have; a kind adds its own in a subclass.

    A field of type `SecretStr` is a secret: the settings hold a reference there, a connector gets what it led to.

    Attributes:
        name: the source's name for ever, in small letters, digits and hyphens: its devices go by it.
        kind: what it is a tenant of.
        site: a label for every device of this source, in place of what the vendor says.
        enabled: with false it is not read, and nothing follows from that.
        timeout_seconds: for one whole request.
        deadline_minutes: for the whole source; what came by then counts as partial.
        max_body_mb: the most that one answer may hold, after decompression.
        max_concurrency: requests at once; by default what the vendor allows.
        page_size: devices a page; by default what the vendor does best with.
        verify: true, or a CA bundle (PEM) by which the server's certificate is verified.
        icloud_plan_gb: the storage plan assumed for this source's devices, in place of the policy's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=64)]
    kind: str
    site: Annotated[str, Field(max_length=200)] | None = None
    enabled: bool = True
    timeout_seconds: Annotated[float, Field(gt=0)] = 60
    deadline_minutes: Annotated[float, Field(gt=0)] = 60
    max_body_mb: Annotated[float, Field(gt=0)] = 64
    max_concurrency: Annotated[int, Field(ge=1)] | None = None
    page_size: Annotated[int, Field(ge=1)] | None = None
    verify: bool | Path = True
    icloud_plan_gb: Annotated[float, Field(gt=0)] | None = None


class IncrementSettings(SourceSettings):
    """The keys of kinds that can give what has reported since a given time.

    Attributes:
        full_walk_days: how often everything is read; on other nights only what has reported since the last one.
    """

    full_walk_days: Annotated[int, Field(ge=1, le=31)] = 7


S = TypeVar("S", bound=SourceSettings)


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission at the vendor, by the vendor's own name.

    Attributes:
        name: as the vendor's console prints it.
        needed_for: what fails or is missing without it.
        optional: True if the connector works without, reporting less.
        where: the console path at which it is granted.
    """

    name: str
    needed_for: str
    where: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one step of a walk brought.

    Attributes:
        rows: records and rejected rows, in the order of the answer. A record that already came in this walk may
            come again; the collector counts each native id once.
        expected: how many devices the source says it has, where it says so; the last stated number counts.
        troubles: what the report should say of this step.
    """

    rows: Sequence[DeviceRecord | Rejected] = ()
    expected: int | None = None
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a connector may use of the outside world: handed in, never imported.

    Attributes:
        collected_at: the clock of this collection, UTC.
        now: monotonic seconds, for deadlines.
        ends: when, by `now`, the whole run stops reading.
        sleep: waits that many seconds.
        transport: takes the place of the network; tests and the demo pass one.
        user_agent: how we introduce ourselves.
        since: a connector that reads increments is to give only the devices that have reported since then, and as
            the number expected that of all devices; None asks for everything.
    """

    collected_at: datetime
    now: Callable[[], float]
    sleep: Callable[[float], None]
    transport: httpx.BaseTransport | None = None
    user_agent: str = "fleetkeep"
    since: datetime | None = None
    ends: float = math.inf

    def until(self, minutes: float) -> float:
        """When, by `now`, a source has to be done that may take so long from here on."""
        return min(self.now() + minutes * 60, self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector(Generic[S]):
    """One kind of source.

    Attributes:
        kind: the word in the settings.
        title: the product's name.
        settings: its keys.
        provides: the signals it can report, mostly those of `fields`; all others read as `not_reported`.
        permissions: the least that the credential must be granted.
        walk: yields the pages of one collection; raises `SourceError` where it cannot go on. Ending without an
            error means that every device of the source was walked past.
        probe: proves login and each permission for `doctor`; yields (permission or step, error or None).
        per_device: those among them that cost a request per device of their own, however few have them.
        provides_of: where it depends on the settings which of them it reports, the answer for given ones.
        fields: per signal, the vendor's own name of what it is read from: where that changes its type, the report
            names it so.
        fields_of: where that depends on the settings, the answer for given ones.
        remarks: per signal, what a reader of the capability matrix should know.
        confirmed: how the facts behind this connector were confirmed.
        example: the commented lines that `init` writes.
    """

    kind: str
    title: str
    settings: type[S]
    provides: frozenset[str]
    permissions: tuple[Permission, ...]
    walk: Callable[[S, Surroundings], Iterator[Page]]
    probe: Callable[[S, Surroundings], Iterator[tuple[str, str | None]]]
    example: str
    confirmed: str
    per_device: frozenset[str] = frozenset()
    provides_of: Callable[[S], frozenset[str]] | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    fields_of: Callable[[S], Mapping[str, str]] | None = None
    remarks: Mapping[str, str] = field(default_factory=dict[str, str])

    def reported(self, settings: S) -> frozenset[str]:
        """The signals that a source with these settings reports."""
        return self.provides_of(settings) if self.provides_of else self.provides

    def named(self, settings: S) -> Mapping[str, str]:
        """Per signal, what a source with these settings calls the field behind it."""
        return self.fields_of(settings) if self.fields_of else self.fields
