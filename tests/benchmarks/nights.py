"""Nights of a fleet: fleetkeep, the floor and the peers on the same pages, one after the other, in one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.benchmarks.contenders import PAGE_SIZE, Fleetkeep, Floor, Peer, Result, peers
from tests.benchmarks.jamf_server import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.contenders import Contender

CONNECTIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run.

    Attributes:
        latencies: milliseconds before each page; the first is that of all nights, the others are for first ones.
        nights: the last night of the growing database; nights between the second and it are run, but not shown.
        peers_up_to: the largest fleet on which peers are tried; 0 leaves them out.
        folder: where everything is kept.
    """

    sizes: tuple[int, ...]
    latencies: tuple[float, ...]
    nights: int
    peers_up_to: int
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One night of one contender, and what it is measured by.

    Attributes:
        serving: seconds of CPU that the server took meanwhile.
        floor: what the floor took in CPU for the same night; None where it was not run.
    """

    name: str
    devices: int
    night: int
    latency: float
    result: Result
    serving: float
    floor: float | None = None


def run(plan: Plan) -> Iterator[Line | str]:
    """Every line as it is there; a text where a peer could not be tried."""
    for devices in plan.sizes:
        with serving(devices) as server:
            folder = plan.folder / str(devices)
            folder.mkdir(parents=True, exist_ok=True)
            yield from _with_floor(plan, server, devices, folder)
            if devices <= plan.peers_up_to:
                yield from _peers(plan, server, devices)


def _with_floor(plan: Plan, server: Served, devices: int, folder: Path) -> Iterator[Line]:
    for latency in plan.latencies:
        usual = latency == plan.latencies[0]
        server.wait_before_answers(latency)
        floor = Floor(server.url, folder / f"floor-{latency:g}")
        ours = Fleetkeep(server.url, folder / f"fleetkeep-{latency:g}")
        for night in range(1, plan.nights + 1 if usual else 2):
            server.turn_to(night)
            shown = night in {1, 2, plan.nights}
            beside = _line(floor, server, devices, night, latency)
            own = _line(ours, server, devices, night, latency)
            if shown:
                yield beside
                yield replace(own, floor=beside.result.cost.cpu)


def _peers(plan: Plan, server: Served, devices: int) -> Iterator[Line | str]:
    server.wait_before_answers(plan.latencies[0])
    server.turn_to(1)
    floor = _line(Floor(server.url, plan.folder / "floor-for-peers"), server, devices, 1, plan.latencies[0])
    for peer in peers(server.url, plan.folder / "peers"):
        yield peer.install() or _tried(peer, server, floor)


def _tried(peer: Peer, server: Served, floor: Line) -> Line:
    line = _line(peer, server, floor.devices, 1, floor.latency)
    return replace(line, floor=floor.result.cost.cpu)


def _line(contender: Contender, server: Served, devices: int, night: int, latency: float) -> Line:
    before = server.spent()
    result = contender.night(night)
    return Line(
        name=contender.name,
        devices=devices,
        night=night,
        latency=latency,
        result=result,
        serving=server.spent() - before,
    )


HEAD = (
    "| devices | page, ms | night | what | CPU s | CPU by the floor's | stages, CPU s | wall s | peak MB "
    "| devices per CPU s | database MB | report MB |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(line: Line) -> str:
    """The line as a row of Markdown."""
    result = line.result
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in result.stages.items())
    cells = (
        f"{line.devices:,}",
        f"{line.latency:g}",
        str(line.night),
        line.name,
        f"{result.cost.cpu:.2f}",
        "" if line.floor is None else f"{result.cost.cpu / line.floor:.1f}",
        stages,
        f"{result.cost.wall:.1f}",
        f"{result.cost.peak:.0f}",
        f"{line.devices / result.cost.cpu:,.0f}",
        f"{result.database / 1e6:.1f}",
        f"{result.report / 1e6:.1f}" if result.report else "",
    )
    return f"| {' | '.join(cells)} |"


def waiting(line: Line) -> str | None:
    """How the clock of a slow server compares to what five connections allow; None where it does not wait."""
    if not line.latency or "collect" not in line.result.waits:
        return None
    least = -(-line.devices // PAGE_SIZE) / CONNECTIONS * line.latency / 1000
    collected, whole = line.result.waits["collect"], line.result.cost.wall
    return (
        f"{line.devices:,} devices at {line.latency:g} ms a page: five connections allow {least:.1f} s; "
        f"collected in {collected:.1f} s ({collected / least:.2f} times), the whole run {whole:.1f} s "
        f"({whole / least:.2f} times)."
    )
