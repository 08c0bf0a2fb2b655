"""What the guide holds: a fix with its cost, its steps, what management can do instead, and where that is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import date

    from fleet.model.device_report import Handling

Audience: TypeAlias = Literal["user", "admin"]
Password: TypeAlias = Literal["passcode", "Apple Account"]
Evidence: TypeAlias = Literal["apple", "third-party", "memory", "own"]
DeviceClass: TypeAlias = Literal["iphone", "ipad", "ipod", "vision", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """For which devices something is right; what is left out does not matter.

    Attributes:
        devices: classes of devices.
        from_major: the first major system.
        up_to_major: the last one.
    """

    devices: tuple[DeviceClass, ...] = ()
    from_major: int | None = None
    up_to_major: int | None = None

    @property
    def general(self) -> bool:
        """True where it fits every device."""
        return not self.devices and self.from_major is self.up_to_major is None

    def includes(self, handling: Handling) -> bool:
        """Whether it fits such a device; a condition on something unknown is not met."""
        major = handling.major
        return (
            (not self.devices or handling.device_class in self.devices)
            and (self.from_major is None or (major is not None and major >= self.from_major))
            and (self.up_to_major is None or (major is not None and major <= self.up_to_major))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Fits):
    """One way of writing the steps, with the devices and systems for which it is right.

    Attributes:
        lines: one sentence or two each; `{label}` stands for what the guide's labels call it on the device.
        force_restart: the key sequence that it describes, by the catalogue's name; None where it fits all.
    """

    lines: tuple[str, ...]
    force_restart: str | None = None

    @property
    def for_all(self) -> bool:
        """True where it fits every device, whatever its keys."""
        return self.general and self.force_restart is None

    def suits(self, handling: Handling) -> bool:
        """Whether it is right for such a device."""
        return self.includes(handling) and self.force_restart in (None, handling.force_restart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording(Fits):
    """What a label is called on some devices and systems."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need(Fits):
    """What a device must be for the fix to be possible at all.

    Attributes:
        managed: under automated or device enrolment, or supervised.
    """

    managed: bool = False

    def met(self, handling: Handling, *, managed: bool) -> bool:
        """Whether a device is such a one."""
        return self.includes(handling) and (managed or not self.managed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a fix asks of the person at the device.

    Attributes:
        data_at_risk: what can be lost; empty where nothing can.
        passwords: those that are asked for.
    """

    minutes: int
    data_at_risk: str
    passwords: tuple[Password, ...]

    @property
    def asks_for(self) -> str:
        """The passwords as words: `the passcode and the password of the Apple Account`; empty for none."""
        return " and ".join(map(_PASSWORDS.__getitem__, self.passwords))


_PASSWORDS: dict[Password, str] = {
    "passcode": "the passcode",
    "Apple Account": "the password of the Apple Account",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Something that a management system can do towards a fix.

    Attributes:
        command: by Apple's name: a command, a declaration, or a payload with its key.
        does: what it brings, in one sentence.
        supervised: it needs a supervised device.
        from_major: the first major system that takes it; None where all do.
        removed_in: the major system that no longer takes it; None where all do.
    """

    command: str
    does: str
    supervised: bool
    from_major: int | None = None
    removed_in: int | None = None

    def __str__(self) -> str:
        needs = (
            "supervised" if self.supervised else "",
            f"from system {self.from_major}" if self.from_major else "",
            f"removed in system {self.removed_in}" if self.removed_in else "",
        )
        said = ", ".join(filter(None, needs))
        return f"{self.command}{f' ({said})' if said else ''}: {self.does}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """What a management system can do, and what it cannot.

    Attributes:
        note: what the ways do not say, above all that there is none.
    """

    ways: tuple[Way, ...]
    note: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.note, *map(str, self.ways))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where facts come from.

    Attributes:
        evidence: `apple` for a page or a schema of Apple's that was read, a `third-party` page, `memory` for
            what is not confirmed, `own` for our own advice.
        url: only for pages of Apple's that were read.
    """

    title: str
    evidence: Evidence
    read: date
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One fix of the guide.

    Attributes:
        audience: who has to act.
        why: what it helps against.
        unseen: the cause that it helps against and that no management system sees, as a sentence; else empty.
        needs: what a device must be to take it: one of these; empty where every device can.
        steps: the most special variant first, the last fits every device.
        verify: how to see that it worked.
        risk: 0 harmless, 1 inconvenient, 2 settings or data may be lost, so that a copy has to come first.
    """

    id: str
    title: str
    audience: Audience
    why: str
    unseen: str
    verify: str
    risk: int
    cost: Cost
    needs: tuple[Need, ...]
    steps: tuple[Variant, ...]
    mdm: Management
    sources: tuple[Source, ...]

    def possible(self, handling: Handling, *, managed: bool) -> bool:
        """Whether a device can take it at all.

        Args:
            handling: what kind of device it is.
            managed: it is under automated or device enrolment, or supervised.
        """
        return not self.needs or any(need.met(handling, managed=managed) for need in self.needs)
