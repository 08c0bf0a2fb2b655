"""What policies or profiles do to devices, where the vendor tells on which of them one is in force."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fleet.model.fact import ABSENT, Fact

if TYPE_CHECKING:
    from fleet.model.device import DeviceRecord
    from fleet.model.run import Trouble


@dataclass(slots=True)
class Effect:
    """On which devices one effect is in force; ids are in lower case.

    Attributes:
        whole: everything that could have the effect was read; only then is a device not named free of it.
        proven: devices on which it is reported to be in force.
        unclear: devices on which it failed, conflicts or has not reported.
    """

    whole: bool = True
    proven: set[str] = field(default_factory=set[str])
    unclear: set[str] = field(default_factory=set[str])

    def on(self, native_id: str) -> Fact[bool]:
        """Whether the effect is in force on that device."""
        key = native_id.lower()
        if key in self.proven:
            return True
        return False if self.whole and key not in self.unclear else ABSENT


@dataclass(slots=True)
class Effects:
    """Keeping from iCloud Backup, and making a VPN; with what the report should say of how they were read."""

    backup: Effect = field(default_factory=Effect)
    vpn: Effect = field(default_factory=Effect)
    troubles: list[Trouble] = field(default_factory=list["Trouble"])

    def judged(self, record: DeviceRecord) -> DeviceRecord:
        """The record with both signals. Since iOS 13 the ban needs a supervised device, whatever is reported."""
        restricted = self.backup.on(record.native_id)
        if restricted is True and record.supervised is not True:
            restricted = ABSENT
        return replace(record, backup_restricted=restricted, vpn_configured=self.vpn.on(record.native_id))

    def not_whole(self, trouble: Trouble) -> None:
        """Take note that not everything could be read."""
        self.backup.whole = self.vpn.whole = False
        self.troubles.append(trouble)
