"""`checks` and `connectors`: what fleetkeep looks for, and what each kind of source can say."""

from __future__ import annotations

from typing import Annotated

import typer

from fleet.errors import SettingsError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("checks")(checks)
    app.command("connectors")(connectors)


def checks(
    check_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One check in full.")] = None,
) -> None:
    """The checks: what each finds, when, and what to do."""
    from dataclasses import asdict

    from fleet import guide
    from fleet.checks import FLEET_CHECKS, installed
    from fleet.checks._check import Check
    from fleet.checks.weights import WEIGHTS
    from fleet.model.policy import Policy

    known = (*installed(), *FLEET_CHECKS)
    if check_id is None:
        width = max(len(check.id) for check in known)
        typer.echo("\n".join(f"{check.id:<{width}}  {check.title}" for check in known))
        return
    check = next((check for check in known if check.id == check_id), None)
    if check is None:
        raise SettingsError(f'no check "{check_id}"; `fleetkeep checks` lists them')
    fixes = guide.load()
    typer.echo(f"{check.id}: {check.title}\n\n{check.rule.format(**asdict(Policy()))}")
    reads = ", ".join(sorted(check.reads)) if isinstance(check, Check) else check.looks_at
    typer.echo(f"\nbasis: {check.basis}\nreads: {reads}\nsource of the rule: {check.source}")
    typer.echo("\nwhat helps:\n" + "\n".join(f"  {fix}: {fixes[fix].title}" for fix in check.fixes))
    weights = [f"  {one.told}" for one in WEIGHTS if one.check == check.id]
    if weights:
        typer.echo("\nas the cause of a missing backup:\n" + "\n".join(weights))


def connectors(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="One kind in full.")] = None,
) -> None:
    """The kinds of sources, and what each can report.

    Which signals, and the least permission that it needs.
    """
    from connectors import registry
    from fleet.cli import capability

    typer.echo(
        capability.described(registry.connector(kind)) if kind else capability.matrix(registry.kinds())
    )
