"""How much each check's finding says about why a device makes no backups: one table, with reasons and sources.

A weight is our estimate, in percent, of how often curing it alone would bring the backup back. No vendor and no study
gives such numbers; they only have to be right in their order, and against the two borders below.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.checks.os_outdated import Rule
from fleet.model.device_report import Strength
from fleet.model.finding import Found, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.checks._check import Case

EXPLAINS_FROM = 95
LIKELY_FROM = 30
"""Likelier than any single one of the causes that nobody can see, of which there are nine."""


def always(_found: Found, _case: Case) -> bool:
    """Whatever was found."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What one check's finding weighs; the first that applies counts.

    Attributes:
        weight: 0 to 100; 0 where it is no cause at all.
        applies: to which findings of that check.
        where: the same in words; empty where it applies to all that are left.
        against: what keeps the finding from being a proof; one short clause each.
        reason: why it weighs so much, and no more.
        source: where that comes from, with the date read.
    """

    check: str
    weight: int
    reason: str
    source: str
    applies: Callable[[Found, Case], bool] = always
    where: str = ""
    against: tuple[str, ...] = ()

    @property
    def strength(self) -> Strength:
        """The weight as a word."""
        if self.weight >= EXPLAINS_FROM:
            return Strength.EXPLAINS
        return Strength.LIKELY if self.weight >= LIKELY_FROM else Strength.POSSIBLE

    @property
    def told(self) -> str:
        """The weight as a line for a person."""
        says = self.strength if self.weight else "no cause"
        return f"{says}{f', {self.where}' if self.where else ''}: {self.reason}"


def weight_of(check: str, found: Found, case: Case) -> Weight | None:
    """What the finding weighs; None where it is no cause."""
    weight = next((one for one in _BY_CHECK.get(check, ()) if one.applies(found, case)), None)
    return weight if weight and weight.weight else None


def _as_bad_as(severity: Severity) -> Callable[[Found, Case], bool]:
    return lambda found, _: found.severity.rank >= severity.rank


def _major_gone(found: Found, _case: Case) -> bool:
    return found.evidence["rule"] == Rule.MAJOR


def _plan_known(_found: Found, case: Case) -> bool:
    return case.plan_known


def _fell_silent_first(_found: Found, case: Case) -> bool:
    last = case.device.last_cloud_backup_at
    return isinstance(last, datetime) and not case.overdue(last)


_NO_FLOOR = ("Apple names no free space that a backup needs",)

WEIGHTS: tuple[Weight, ...] = (
    Weight(
        check="os-unsupported",
        weight=100,
        applies=_as_bad_as(Severity.CRITICAL),
        where="where critical",
        reason="Below version 9 no backup can be made or reached, even where it is allowed and on.",
        source="MacRumors, iCloud Backup needs iOS 9 from 2024-12-18, third-party report, read 2026-11-22",
    ),
    Weight(
        check="os-unsupported",
        weight=0,
        reason="Hardware at its last system backs up like any other.",
        source="Our own judgement: iCloud Backup works from version 9 on",
    ),
    Weight(
        check="backup-restricted",
        weight=99,
        reason="While a profile forbids it, nobody can turn it on; off or not, this comes first.",
        source="Apple device management, com.apple.applicationaccess allowCloudBackup, read 2026-11-22",
    ),
    Weight(
        check="backup-disabled",
        weight=98,
        reason="While it is off none starts, whatever else is true of the device.",
        source="iCloud User Guide, What is iCloud Backup?, read 2026-11-22",
    ),
    Weight(
        check="silent-device",
        weight=90,
        applies=_fell_silent_first,
        where="where its backups were in order before",
        against=("it may go on with its backups and have lost its management alone",),
        reason="Its backups were in order when it was last heard of; what is off or lost makes none.",
        source="Our own judgement",
    ),
    Weight(
        check="silent-device",
        weight=0,
        reason="Its backups had stopped while it still reported.",
        source="Our own judgement",
    ),
    Weight(
        check="storage-full",
        weight=60,
        applies=_as_bad_as(Severity.CRITICAL),
        where="where critical",
        against=_NO_FLOOR,
        reason="A device with next to nothing free fails at much that it does; a page names 50 MB for backups.",
        source="Third-party page of 2017, read 2026-11-22; weak",
    ),
    Weight(
        check="storage-full",
        weight=45,
        applies=_as_bad_as(Severity.HIGH),
        where="where high",
        against=_NO_FLOOR,
        reason="Close to full, it may have been full when the backup was due.",
        source="Our own judgement",
    ),
    Weight(
        check="storage-full",
        weight=10,
        against=("that much is enough for a backup, as far as is known",),
        reason="Short of space, but far from full.",
        source="Our own judgement",
    ),
    Weight(
        check="power-low",
        weight=40,
        against=("the battery is only known for the moments of its reports",),
        reason="An automatic backup needs power, and few healthy devices are always found nearly empty.",
        source="iCloud User Guide, What is iCloud Backup?, read 2026-11-22",
    ),
    Weight(
        check="account-inactive",
        weight=35,
        against=("the store account is not the iCloud account",),
        reason="Rare among devices that back up, and it goes along with a sign-in that was lost.",
        source="Apple device management, DeviceInformation iTunesStoreAccountIsActive, read 2026-11-22",
    ),
    Weight(
        check="icloud-quota",
        weight=30,
        applies=_plan_known,
        where="where the plan is known",
        against=("a backup holds only a part of what is in use on the device",),
        reason="Full iCloud storage is the first thing that Apple's own list names; the plan is known.",
        source="Apple, Get help backing up your device in iCloud (HT203516), read 2026-11-22",
    ),
    Weight(
        check="icloud-quota",
        weight=0,
        reason="With an assumed plan it holds for nearly every device, so it tells nothing apart.",
        source="Our own judgement: the system alone takes more than the 5 GB of the free plan",
    ),
    Weight(
        check="vpn-configured",
        weight=15,
        against=("whether its tunnel was up is not reported", "Apple names no VPN as such as an obstacle"),
        reason="Apple refuses inspected connections; but most fleets with such a VPN back up through it.",
        source="Apple, Use Apple products on enterprise networks (101555), read 2026-11-22",
    ),
    Weight(
        check="os-outdated",
        weight=10,
        applies=_major_gone,
        where="where its major is no longer allowed",
        against=("iCloud Backup works with every system from version 9 on",),
        reason="Only an account with newer protection shuts an old system out.",
        source="Apple, iCloud data security overview (108756), read 2026-11-22",
    ),
    Weight(
        check="os-outdated",
        weight=5,
        against=("iCloud Backup works with every system from version 9 on",),
        reason="A missing patch is a fault that might matter, no more.",
        source="Our own judgement",
    ),
)
_BY_CHECK = {one.check: tuple(each for each in WEIGHTS if each.check == one.check) for one in WEIGHTS}
