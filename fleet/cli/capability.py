"""What each kind of source can report: the matrix of signals and kinds, and one kind in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors import registry
from fleet.model.device import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors._connector import Connector


def matrix(kinds: Sequence[str]) -> str:
    """A Markdown table of signals by kinds: yes, by a request per device, or never."""
    connectors = [registry.connector(kind) for kind in kinds]
    head = ["signal", *(f"`{connector.kind}`" for connector in connectors)]
    rows = [[signal, *(said(signal, one) for one in connectors)] for signal in SIGNALS]
    return "\n".join(_line(row) for row in (head, ["---"] * len(head), *rows))


def said(signal: str, connector: Connector[Any]) -> str:
    """Whether a kind reports a signal, in a word or two."""
    if signal not in connector.provides:
        return "never"
    return "per device" if signal in connector.per_device else "yes"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_WHY = {
    "yes": "",
    "per device": "a request for each device that can have a backup",
    "never": "its API does not tell it",
}


def reason(signal: str, connector: Connector[Any]) -> str:
    """What to know of a signal of that kind: the field behind it, or why there is none."""
    field = connector.fields.get(signal, "")
    remark = connector.remarks.get(signal, _WHY[said(signal, connector)])
    return "; ".join(filter(None, [field and f"`{field}`", remark]))


def described(connector: Connector[Any]) -> str:
    """One kind: each signal with why or why not, what permission it needs, how its facts were confirmed."""
    width = max(map(len, SIGNALS))
    signals = (
        f"  {signal:<{width}}  {said(signal, connector):<10}  {reason(signal, connector)}".rstrip()
        for signal in SIGNALS
    )
    permissions = (
        f"  {one.name}{' (optional)' if one.optional else ''}: for {one.needed_for}; {one.where}"
        for one in connector.permissions
    )
    return "\n".join(
        [
            f"{connector.kind}: {connector.title}",
            f"facts confirmed by: {connector.confirmed}",
            "",
            "least permission:",
            *(list(permissions) or ["  none"]),
            "",
            "signals:",
            *signals,
        ]
    )
