"""What a row of the fault table is: a fault, made for real, what has to come of it, and what was seen."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command import Office
    from tests.databases import Cluster
    from tests.kept_warm import Ended

FULL = "FLEETKEEP_FAULTS_IN_FULL" in os.environ
"""Whether faults have the size that the table tells of; else they are as small as shows the same."""
NIGHT = "2026-03-02T04:30:00Z"
NEXT = "2026-03-03T04:30:00Z"


class Unavailable(Exception):  # noqa: N818 - it is no error
    """This machine does not let the fault be made."""


@dataclass(frozen=True)
class Scene:
    """Where a row plays.

    Attributes:
        office: a folder with settings, a database and reports, none of them there yet.
        postgresql: starts a PostgreSQL server, or gives the one that runs.
    """

    office: Office
    postgresql: Callable[[], Cluster]


@dataclass(frozen=True)
class Seen:
    """What came of a fault.

    Attributes:
        ended: the run that met it.
        proven: what was looked at besides, each in a few words that held.
    """

    ended: Ended
    proven: tuple[str, ...]

    @property
    def line(self) -> str:
        """What the admin was told first, without what differs from run to run."""
        said = (line for line in self.ended.err.splitlines() if line.startswith("fleetkeep: "))
        first = next(said, "").removeprefix("fleetkeep: ")
        return re.sub(r"/(tmp|dev)/\S*/", "…/", first)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One row.

    Attributes:
        outcome: what has to come of it.
        code: the exit code of the run that meets it.
        says: words that it has to say on standard error.
        drive: makes the fault, runs the command as its user does, and looks at what is left.
        also: tests elsewhere that show more of it.
    """

    number: int
    fault: str
    outcome: str
    code: int
    drive: Callable[[Scene], Seen]
    says: tuple[str, ...] = ()
    also: tuple[str, ...] = field(default=())

    def judged(self, scene: Scene) -> Seen:
        """Drive it, and hold what is true of every row against what was seen."""
        seen = self.drive(scene)
        assert seen.ended.code == self.code, seen.ended.err
        assert [word for word in self.says if word not in seen.ended.err] == [], seen.ended.err
        assert "Traceback" not in seen.ended.err
        return seen


def outcomes(office: Office) -> dict[str, str]:
    """What became of each source, by the latest report."""
    return {source["name"]: source["outcome"] for source in office.report()["sources"]}


def problem(office: Office, source: str) -> str:
    """The codes of what the latest report tells of a source."""
    (found,) = (one for one in office.report()["sources"] if one["name"] == source)
    return " ".join(trouble["code"] for trouble in found["problems"])


def serials(office: Office) -> set[str]:
    """The devices of the latest report."""
    return {device["serial"] for device in office.report()["devices"]}


def last_run(office: Office) -> dict[str, Any]:
    """How the last run ended, as other programs read it."""
    loaded: dict[str, Any] = json.loads((office.reports / "last_run.json").read_text("utf-8"))
    return loaded
