"""`schedule`: units with this machine's own paths, printed or written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.schedule.registry import SCHEDULERS

if TYPE_CHECKING:
    from tests.command import Office

SOURCE = """\
[[source]]
name = "hq"
kind = "simplemdm"
api_key = { env = "SIMPLEMDM_KEY" }
"""


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_every_unit_names_the_settings_of_this_office(office: Office, kind: str) -> None:
    """Each kind prints a unit for exactly this installation, and says on standard error what comes next."""
    office.configure(SOURCE)
    ended = office("schedule", kind, "--at", "03:30", "--user", "fleet")
    assert ended.code == 0, ended.err
    where = "/data" if kind == "kubernetes" else str(office.folder)
    assert f"{where}/fleetkeep.toml" in ended.out
    assert "next:" in ended.err
    assert ended.out.endswith("\n")


def test_the_units_of_systemd_are_written_as_files(office: Office) -> None:
    """--out leaves the two files by their names."""
    office.configure(SOURCE)
    assert office("schedule", "systemd", "--out", str(office.folder / "units")).code == 0
    assert {path.name for path in (office.folder / "units").iterdir()} == {
        "fleetkeep.service",
        "fleetkeep.timer",
    }
    service = (office.folder / "units" / "fleetkeep.service").read_text("utf-8")
    assert f"WorkingDirectory={office.folder}" in service
    assert "NAME=secret, one a line, 0600, owned by root, for: SIMPLEMDM_KEY" in service


@pytest.mark.parametrize("at", ["25:00", "2", "noon", "02:99"])
def test_a_time_that_is_none(office: Office, at: str) -> None:
    """A wrong --at is said, with how to write one."""
    office.configure(SOURCE)
    ended = office("schedule", "cron", "--at", at)
    assert ended.code == 2
    assert "write it like 02:00" in ended.err


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_a_secret_that_the_job_would_miss(office: Office, kind: str) -> None:
    """Where the unit has no place for a variable, it is said before the first night fails for want of it."""
    office.configure(SOURCE)
    said = "would miss SIMPLEMDM_KEY" in office("schedule", kind, "--user", "fleet").err
    assert said is (kind not in {"systemd", "kubernetes"})


def test_root_and_paths_outside_of_the_pod_are_warned_of(office: Office) -> None:
    """What would run but should not, or would not be kept, is said before it is installed."""
    office.configure(SOURCE, head='[report]\ndirectory = "/srv/reports"')
    assert "in the pod it would not be on the volume" in office("schedule", "kubernetes").err
    assert "would run as root" in office("schedule", "systemd", "--user", "root").err


def test_a_night_is_shared_by_pods_alone(office: Office) -> None:
    """--shards makes an Indexed Job over PostgreSQL; SQLite and other schedulers are refused, with the remedy."""
    office.configure(SOURCE)
    ended = office("schedule", "kubernetes", "--shards", "4")
    assert (ended.code, ended.out) == (2, "")
    assert "pods that share a night need PostgreSQL" in ended.err
    ended = office("schedule", "systemd", "--shards", "4")
    assert ended.code == 2
    assert "`fleetkeep run --shard 1/2`" in ended.err
    office.url = "postgresql+psycopg://fleetkeep@db.example/fleetkeep?sslmode=verify-full"
    office.configure(SOURCE)
    ended = office("schedule", "kubernetes", "--shards", "4")
    assert ended.code == 0, ended.err
    assert "completionMode: Indexed" in ended.out
