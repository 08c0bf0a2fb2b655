"""The server of a benchmark: Jamf-shaped pages made beforehand, given away for next to nothing.

    python -m tests.benchmarks.jamf_server --devices 100000 --port 8080

Another process than what is measured, so that its seconds are told apart. `POST /night/2` makes that night's pages
into a file and answers when they are there; a page is a slice of it. `POST /latency/150` makes every answer wait so
many milliseconds. `GET /spent` tells the seconds of CPU that serving has taken, without the making.
"""

from __future__ import annotations

import argparse
import json
import mmap
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from tests.benchmarks import jamf_fleet
from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[2]
SECRET = "secret-of-the-benchmark"
LARGEST_PAGE = 2000
_BUFFER = 8_000_000


class Pages:
    """One night's records one behind the other in a file, and where each begins."""

    def __init__(self, devices: int, night: int) -> None:
        self.devices = devices
        self._young = array("L", (i for i in range(devices) if jamf_fleet.reported(i, night)))
        self._starts = array("Q", bytes(8 * (devices + 1)))
        with tempfile.TemporaryFile(buffering=_BUFFER) as file:
            place = 0
            for i, row in enumerate(jamf_fleet.rows(devices, night)):
                file.write(row)
                file.write(b",")
                place += len(row) + 1
                self._starts[i + 1] = place
            file.flush()
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def young_page(self, number: int, size: int, *, of: range) -> bytes:
        """The same of the devices that have sent an inventory since the night before."""
        young = self._young[bisect_left(self._young, of.start) : bisect_left(self._young, of.stop)]
        window = young[number * size : (number + 1) * size]
        rows = b",".join([self._bytes[self._starts[i] : self._starts[i + 1] - 1] for i in window])
        return b'{"totalCount":%d,"results":[%b]}' % (len(young), rows)

    def page(self, number: int, size: int, *, of: range) -> bytes:
        """The answer that holds the page with that number, of the tenant with those devices."""
        begin = min(of.start + number * size, of.stop)
        end = min(begin + size, of.stop)
        rows = self._bytes[self._starts[begin] : max(self._starts[begin], self._starts[end] - 1)]
        return b'{"totalCount":%d,"results":[%b]}' % (len(of), rows)


class PageServer(Loopback):
    """As much of Jamf Pro as a collection asks for, and the handles of the benchmark.

    It is as many tenants as it is told to be: one whose client is called 7 sees the devices of the seventh.
    """

    def __init__(self, devices: int, tenants: int = 1) -> None:
        super().__init__()
        self._devices = devices
        self._tenants = tenants
        self._pages = Pages(devices, 1)
        self._night = 1
        self._latency = 0.0
        self._set_aside = _cpu()

    def route(self, asked: Asked) -> Reply:
        """The answer, after the time that a real server would have taken."""
        match asked.method, asked.path.split("/")[1:]:
            case "POST", ["night", night]:
                return self._turn_to(int(night))
            case "POST", ["latency", milliseconds]:
                self._latency = float(milliseconds) / 1000
                return reply({})
            case "GET", ["spent"]:
                return reply({"cpu_seconds": _cpu() - self._set_aside})
            case _:
                time.sleep(self._latency)
                return self._jamf(asked)

    def _turn_to(self, night: int) -> Reply:
        if night != self._night:
            began = _cpu()
            self._pages, self._night = Pages(self._devices, night), night
            self._set_aside += _cpu() - began
        return reply({})

    def _jamf(self, asked: Asked) -> Reply:
        match asked.path:
            case "/api/v1/oauth/token":
                client = asked.form["client_id"]
                token = {"access_token": client, "token_type": "Bearer", "expires_in": 86400, "scope": "api"}
                return reply(token)
            case "/api/v1/sites":
                return reply([{"id": "1", "name": "North"}, {"id": "2", "name": "South"}])
            case "/api/v2/mobile-devices/detail":
                size = min(int(asked.first("page-size", "100")), LARGEST_PAGE)
                page = self._pages.young_page if "filter" in asked.query else self._pages.page
                return Reply(200, page(int(asked.first("page", "0")), size, of=self._devices_of(asked)))
            case "/JSSResource/mobiledeviceconfigurationprofiles":
                return reply({"configuration_profiles": []})
            case "/api/v2/mobile-devices":
                return reply({"totalCount": len(self._devices_of(asked)), "results": []})
            case _:
                return reply({}, 404)

    def _devices_of(self, asked: Asked) -> range:
        client = asked.headers["authorization"].removeprefix("Bearer ")
        tenant = int(client) if client.isdecimal() else 1
        return range((tenant - 1) * self._devices // self._tenants, tenant * self._devices // self._tenants)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True, slots=True)
class Served:
    """A server at work in a process of its own."""

    url: str

    def turn_to(self, night: int) -> None:
        """Make that night's pages."""
        self._ask("POST", f"night/{night}")

    def wait_before_answers(self, milliseconds: float) -> None:
        """Be as slow as a real server."""
        self._ask("POST", f"latency/{milliseconds}")

    def spent(self) -> float:
        """Seconds of CPU that serving has taken so far."""
        return float(self._ask("GET", "spent")["cpu_seconds"])

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        with urlopen(Request(f"{self.url}/{path}", method=method), timeout=600) as answer:  # noqa: S310 - ours
            said: dict[str, Any] = json.loads(answer.read())
            return said


@contextmanager
def serving(devices: int, tenants: int = 1) -> Generator[Served]:
    """A server of so many devices, spread over tenants, in a process of its own, until the end of the block."""
    command = [sys.executable, "-m", "tests.benchmarks.jamf_server", "--devices", str(devices)]
    command += ["--tenants", str(tenants)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(process.stdout.readline().strip())
        finally:
            process.kill()


def main() -> None:
    """Serve until killed; prints where, once the first night's pages are there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--tenants", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = PageServer(options.devices, options.tenants)
    server.start(options.port)
    print(server.url, flush=True)  # noqa: T201 - whoever started it reads this
    Event().wait()


if __name__ == "__main__":
    main()
