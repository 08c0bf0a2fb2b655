"""A year of nights of a small fleet: does a night cost the same at its end, and by how much does the database grow?"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.contenders import SECRETS, Fleetkeep
from tests.benchmarks.jamf_server import serving
from tests.benchmarks.measured import BrokeError, size
from tests.command import fleetkeep

if TYPE_CHECKING:
    from pathlib import Path

_SETTLING = 20
"""Nights at the beginning that are left out: the caches of a young database are not those of an old one."""


@dataclass(frozen=True, slots=True)
class Year:
    """What came out.

    Attributes:
        early: seconds of CPU of a night soon after the beginning: of a tenth of them one that few others beat, for
            what else the machine does makes nights dearer and never cheaper.
        late: the same at the end.
        bytes_each: what each device and night added to the database.
    """

    devices: int
    nights: int
    early: float
    late: float
    bytes_each: float

    def __str__(self) -> str:
        return (
            f"{self.devices:,} devices over {self.nights} nights: a night took {self.early:.3f} s of CPU at the "
            f"beginning and {self.late:.3f} s at the end ({100 * (self.late / self.early - 1):+.1f} %), "
            f"and added {self.bytes_each:.0f} bytes per device to the database."
        )


def year(devices: int, nights: int, folder: Path) -> Year:
    """Run that many nights one after the other, in processes that have imported everything: the stages are counted.

    Raises:
        BrokeError: a night ended by another code than 0.
    """
    spent: list[float] = []
    sizes: list[int] = []
    with serving(devices) as server:
        ours = Fleetkeep(server.url, folder / "fleetkeep")
        ours.settle()
        for night in range(1, nights + 1):
            server.turn_to(night)
            ended = fleetkeep(*ours.arguments(night), cwd=ours.folder, env=SECRETS)
            if ended.code:
                raise BrokeError(f"night {night} ended with {ended.code}: {ended.out}{ended.err}")
            spent.append(sum(ours.told()[0].values()))
            sizes.append(size(*ours.folder.glob("fleetkeep.db*")))
            _tidy(ours.folder / "reports-out")
    settled = spent[min(_SETTLING, nights // 3) :]
    tenth = max(1, len(settled) // 10)
    grown = (sizes[-1] - sizes[0]) / (devices * (nights - 1))
    return Year(devices, nights, _undisturbed(settled[:tenth]), _undisturbed(settled[-tenth:]), grown)


def _undisturbed(spent: list[float]) -> float:
    return sorted(spent)[len(spent) // 4]


def _tidy(reports: Path) -> None:
    """Keep `latest` alone: a year of reports is not what is measured."""
    for folder in reports.glob("20*"):
        shutil.rmtree(folder)
