"""`doctor` on the way to PostgreSQL: who could read along, and who could answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.cli.examine.line import Level
from fleet.cli.examine.transit import transit

if TYPE_CHECKING:
    from tests.command import Office

AWAY = "postgresql+psycopg://fleet@db.example:5432/fleet"
READ, ANSWER = "may read along, or answer in its place", "may answer in its place"


@pytest.mark.parametrize(
    ("url", "env", "said"),
    [
        (AWAY, {}, f"db.example {READ} (sslmode=prefer)"),
        (f"{AWAY}?sslmode=disable", {}, READ),
        (f"{AWAY}?sslmode=require", {}, f"{ANSWER} (sslmode=require)"),
        (AWAY, {"PGSSLMODE": "require"}, ANSWER),
        ("postgresql+psycopg://fleet@/fleet?host=127.0.0.1&host=db2.example:5433", {}, f"db2.example {READ}"),
        ("postgresql+psycopg://fleet@/fleet?hostaddr=192.0.2.7", {}, f"192.0.2.7 {READ}"),
        ("postgresql+psycopg:///fleet", {"PGHOST": "db.example"}, READ),
        (f"{AWAY}?sslmode=require&sslrootcert=/etc/ca.pem", {}, "the server is proven (sslmode=require)"),
        (f"{AWAY}?sslmode=verify-ca", {}, "the server is proven"),
        (f"{AWAY}?sslmode=verify-full", {}, "the server is proven"),
        (AWAY, {"PGSSLMODE": "verify-full"}, "the server is proven"),
    ],
)
def test_a_connection_that_leaves_the_machine(url: str, env: dict[str, str], said: str) -> None:
    """It is a warning unless the server's certificate is verified, wherever libpq is told so."""
    (line,) = transit(url, env)
    assert said in line.said
    assert line.level is (Level.OK if "proven" in said else Level.WARNING)


@pytest.mark.parametrize(
    "where",
    ["@localhost/fleet", "@127.0.0.1/fleet", "@[::1]:5432/fleet", "/fleet", "/fleet?host=/run/postgresql"],
)
def test_a_connection_within_the_machine(where: str) -> None:
    """Nobody is on the way, so there is nothing to say."""
    assert not list(transit(f"postgresql+psycopg://{where}", {}))


def test_the_doctor_says_it(office: Office) -> None:
    """It stands among the lines of the database, also where the server does not answer."""
    office.url = "postgresql+psycopg://fleet@db.invalid/fleet?connect_timeout=2"
    office.configure('[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 5\n')
    ended = office("doctor")
    assert ended.code == 2
    assert f"warning  database: whoever is on the way to db.invalid {READ}" in ended.out
