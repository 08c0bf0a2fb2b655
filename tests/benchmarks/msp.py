"""A night of somebody who looks after many fleets: tenants, shards and one PostgreSQL, all on this machine.

    python -m tests.benchmarks.msp                                                    # 40 tenants, 8,000 devices
    python -m tests.benchmarks.msp --tenants 2000 --devices 2000000 --nights 2        # hours, 15 GB in --folder

Every tenant is a source of its own. As many processes as there are shards do `fleetkeep run --name … --shard K/N` at
once; the last of them reports. Vendor and PostgreSQL run beside them and are counted apart. Prints two tables in
Markdown: what each night took, and what that comes to for other numbers of devices.
"""

from __future__ import annotations

import argparse
import json
import math
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tests.benchmarks.contenders import installed
from tests.benchmarks.jamf_fleet import moment
from tests.benchmarks.jamf_server import SECRET, Served, serving
from tests.benchmarks.machine import heading
from tests.benchmarks.measured import Cost, measure, size
from tests.benchmarks.server_cost import cpu_of_server, loopback_bytes
from tests.databases import running_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POSTGRES = "-c shared_buffers=512MB -c max_wal_size=4GB -c max_locks_per_transaction=256"
"""Durable, as in earnest; the rest is what a server with a little memory to spare is given."""
BYTES_OF_A_DEVICE = 3300


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run."""

    tenants: int
    devices: int
    shards: int
    nights: int
    latency: float
    formats: Sequence[str]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night took: seconds and bytes.

    Attributes:
        shards: of each process.
        starting: CPU that a process takes to start and look at the database, whatever the number of devices.
        stages: of the one that reported, by name; seconds of the clock and of CPU.
        postgres: CPU of the server.
        serving: CPU of the made-up vendor.
        grown: by how much the database did.
        logged: what went to its write-ahead log.
        network: all that went over the loopback, the vendor's pages included.
    """

    number: int
    devices: int
    wall: float
    shards: Sequence[Cost]
    starting: float
    stages: dict[str, tuple[float, float]]
    postgres: float
    serving: float
    database: int
    grown: int
    logged: int
    network: int
    report: int

    @property
    def collecting(self) -> float:
        """CPU of all processes but for starting, judging and reporting."""
        return sum(cost.cpu - self.starting for cost in self.shards) - self.reporting

    @property
    def reporting(self) -> float:
        """CPU of judging and reporting, in one process."""
        return sum(cpu for name, (_, cpu) in self.stages.items() if name != "collect")

    @property
    def read_for(self) -> float:
        """Seconds of the clock until the last source was read."""
        return self.wall - sum(wall for name, (wall, _) in self.stages.items() if name != "collect")


def run(plan: Plan) -> Iterator[Night]:
    """Night after night on one database."""
    with running_cluster(POSTGRES, _free_port()) as cluster, serving(plan.devices, plan.tenants) as vendor:
        cluster.say("CREATE DATABASE msp")
        vendor.wait_before_answers(plan.latency)
        office = _Office(plan, vendor, cluster.url("msp"), cluster.folder)
        office.furnish()
        starting = office.start()
        for number in range(1, plan.nights + 1):
            vendor.turn_to(number)
            yield office.night(number, starting)


@dataclass(frozen=True, slots=True)
class _Office:
    plan: Plan
    vendor: Served
    url: str
    server: Path

    @property
    def settings(self) -> Path:
        return self.plan.folder / "fleetkeep.toml"

    def furnish(self) -> None:
        """Write the settings, and have the schema made."""
        formats = json.dumps(list(self.plan.formats))
        head = f'[database]\nurl = "{self.url}"\n[catalog]\nrefresh = false\n[report]\nformats = {formats}\n'
        sources = (
            _SOURCE.format(number=number, url=self.vendor.url) for number in range(1, self.plan.tenants + 1)
        )
        self.settings.write_text(head + "".join(sources), encoding="utf-8")
        self.settings.chmod(0o600)
        self._fleetkeep("db", "upgrade")

    def start(self) -> float:
        """CPU that the command takes before it does anything."""
        return self._fleetkeep("db", "check").cpu

    def night(self, number: int, starting: float) -> Night:
        """All shards at once, and what became of it."""
        before, database, began = self._spent(), self._size(), time.perf_counter()
        with ThreadPoolExecutor(self.plan.shards) as pool:
            shards = list(pool.map(partial(self._shard, number), range(1, self.plan.shards + 1)))
        wall = time.perf_counter() - began
        after, grown = self._spent(), self._size()
        postgres, serving_, logged, network = (new - old for new, old in zip(after, before, strict=True))
        return Night(
            number=number,
            devices=self.plan.devices,
            wall=wall,
            shards=shards,
            starting=starting,
            stages=self._stages(),
            postgres=postgres,
            serving=serving_,
            database=grown,
            grown=grown - database,
            logged=int(logged),
            network=int(network),
            report=size(self.plan.folder / "reports-out" / "latest"),
        )

    def _shard(self, number: int, shard: int) -> Cost:
        return self._fleetkeep(
            "run",
            *("--name", f"night-{number}"),
            *("--shard", f"{shard}/{self.plan.shards}"),
            *("--as-of", f"{moment(number):%Y-%m-%dT%H:%M:%SZ}"),
        )

    def _fleetkeep(self, *arguments: str) -> Cost:
        command = [installed(), "--config", str(self.settings), *arguments]
        return measure(command, self.plan.folder, {"JAMF_SECRET": SECRET})

    def _stages(self) -> dict[str, tuple[float, float]]:
        told: dict[str, Any] = json.loads(
            (self.plan.folder / "reports-out" / "last_run.json").read_text("utf-8")
        )
        return {
            stage["name"]: (float(stage["seconds"]), float(stage["cpu_seconds"])) for stage in told["stages"]
        }

    def _spent(self) -> tuple[float, float, float, float]:
        logged = float(self._ask("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))
        return cpu_of_server(self.server), self.vendor.spent(), logged, loopback_bytes()

    def _size(self) -> int:
        return int(self._ask("SELECT pg_database_size(current_database())"))

    def _ask(self, question: str) -> Any:  # noqa: ANN401 - whatever the server says
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return connection.scalar(sa.text(question))


_SOURCE = """
[[source]]
name = "tenant-{number}"
kind = "jamf_pro"
url = "{url}"
client_id = "{number}"
client_secret = {{ env = "JAMF_SECRET" }}
"""


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


HEAD = (
    "| night | wall s | until all is read, s | judged and reported, s | all shards, CPU s | PostgreSQL, CPU s "
    "| vendor, CPU s | largest shard, peak MB | database MB | WAL MB | network MB | report MB |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(night: Night) -> str:
    """The night as a row of Markdown."""
    cells = (
        str(night.number),
        f"{night.wall:.1f}",
        f"{night.read_for:.1f}",
        f"{night.wall - night.read_for:.1f}",
        f"{sum(cost.cpu for cost in night.shards):.1f}",
        f"{night.postgres:.1f}",
        f"{night.serving:.1f}",
        f"{max(cost.peak for cost in night.shards):.0f}",
        f"{night.database / 1e6:.1f} (+{night.grown / 1e6:.1f})",
        f"{night.logged / 1e6:.1f}",
        f"{night.network / 1e6:.1f}",
        f"{night.report / 1e6:.1f}",
    )
    return f"| {' | '.join(cells)} |"


ARITHMETIC_HEAD = (
    "| devices | reading, CPU h | shards to read in 1 h | PostgreSQL, CPU h | its cores in that hour "
    "| judging and reporting in one process, h | from the vendors, GB | to and from the database, GB | WAL GB "
    "| database grows by, GB | report GB |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def arithmetic(night: Night, devices: int) -> str:
    """What that night comes to for so many devices, a row of Markdown: everything grows with the devices."""
    times = devices / night.devices
    pages = night.devices * BYTES_OF_A_DEVICE
    reading, postgres = night.collecting * times / 3600, night.postgres * times / 3600
    cells = (
        f"{devices:,}",
        f"{reading:.2f}",
        str(max(1, math.ceil(reading))),
        f"{postgres:.2f}",
        f"{postgres:.1f}",
        f"{night.reporting * times / 3600:.2f}",
        f"{pages * times / 1e9:.1f}",
        f"{max(0, night.network - pages) * times / 1e9:.1f}",
        f"{night.logged * times / 1e9:.1f}",
        f"{night.grown * times / 1e9:.2f}",
        f"{night.report * times / 1e9:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str]) -> None:
    """Print both tables."""
    options = _options(arguments)
    say(f"{heading()}\n")
    say(
        f"{options.tenants:,} tenants, {options.devices:,} devices, {options.shards} shards, "
        f"{options.latency:g} ms before each page, PostgreSQL with {POSTGRES.replace('-c ', '')}\n"
    )
    with tempfile.TemporaryDirectory(prefix="fleetkeep-msp-") as temporary:
        say(HEAD)
        last: Night | None = None
        for last in run(_plan(options, options.folder or Path(temporary))):
            say(row(last))
        assert last is not None
    say(
        f"\nNight {last.number} without the {last.starting:.1f} s that a process takes to start, for other numbers of "
        f"devices; all of it is in proportion to them, the further from {last.devices:,} the less is it known:\n\n"
        f"{ARITHMETIC_HEAD}"
    )
    for devices in dict.fromkeys((last.devices, 2_000_000, 20_000_000)):
        say(arithmetic(last, devices))


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _plan(options: argparse.Namespace, folder: Path) -> Plan:
    folder.mkdir(parents=True, exist_ok=True)
    return Plan(
        tenants=options.tenants,
        devices=options.devices,
        shards=options.shards,
        nights=options.nights,
        latency=options.latency,
        formats=options.formats,
        folder=folder,
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.msp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tenants", type=int, default=40)
    parser.add_argument("--devices", type=int, default=8000, help="of all tenants together")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--nights", type=int, default=2)
    parser.add_argument("--latency", type=float, default=0, help="milliseconds before each page")
    parser.add_argument("--formats", nargs="+", default=["html", "csv", "json", "metrics"])
    parser.add_argument("--folder", type=Path, help="where settings and reports are kept; else nowhere")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
