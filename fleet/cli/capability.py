"""What each kind of source can report: the matrix of signals and kinds, and one kind in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors import registry
from fleet.model.device import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors._connector import Connector


def matrix(kinds: Sequence[str]) -> str:
    """A Markdown table of signals by kinds."""
    connectors = [registry.connector(kind) for kind in kinds]
    head = ["signal", *(connector.kind for connector in connectors)]
    rows = [
        [signal, *("yes" if signal in one.provides else "no" for one in connectors)] for signal in SIGNALS
    ]
    return "\n".join(_line(row) for row in (head, ["---"] * len(head), *rows))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def described(connector: Connector[Any]) -> str:
    """One kind: what it reports, what it never does, what it needs."""
    never = [signal for signal in SIGNALS if signal not in connector.provides]
    lines = [
        f"{connector.kind}: {connector.title}",
        f"facts confirmed by: {connector.confirmed}",
        "",
        f"reports: {', '.join(signal for signal in SIGNALS if signal in connector.provides)}",
        f"never reports: {', '.join(never) or 'nothing is out of reach'}",
        *(f"  {signal}: {remark}" for signal, remark in connector.remarks.items()),
        "",
        "least permission:",
        *(
            f"  {one.name}{' (optional)' if one.optional else ''}: for {one.needed_for}; {one.where}"
            for one in connector.permissions
        ),
    ]
    return "\n".join(lines if connector.permissions else [*lines[:-1], "needs no permission"])
