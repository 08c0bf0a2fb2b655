"""What a fleet-level check is: it judges no single device, but what happens to all of them or to many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleet.model.finding import Basis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FleetCheck:
    """One fleet-level check of the catalogue; what it finds is an incident.

    Attributes:
        id: the file name with hyphens; outlives releases.
        rule: one sentence with `{policy_fields}` that says when it is found and how bad.
        looks_at: what its verdict rests on, in words.
        fixes: ids of the guide, the most likely first.
        source: where the rule comes from, with the date read.
    """

    id: str
    title: str
    rule: str
    basis: Basis
    looks_at: str
    fixes: tuple[str, ...]
    source: str
