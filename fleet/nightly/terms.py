"""All that a judgement depends on besides the facts: stored with each run, so that it can be made again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from fleet.model.brand import Brand
from fleet.model.policy import Policy
from fleet.model.waiver import SCOPES, Waiver

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that a judgement depends on besides the facts; stored with the run, so that it can be made again.

    Attributes:
        plans: GB of iCloud storage assumed per source, where that differs from the policy.
    """

    policy: Policy
    waivers: tuple[Waiver, ...] = ()
    plans: Mapping[str, float] = field(default_factory=dict[str, float])
    title: str = "iCloud Backup"
    base_url: str = ""
    brand: Brand = field(default_factory=Brand)

    def policy_for(self, source: str) -> Policy:
        """The thresholds for a device whose freshest facts come from that source."""
        plan = self.plans.get(source)
        return self.policy if plan is None else replace(self.policy, icloud_plan_gb=plan)

    def to_json(self) -> dict[str, Any]:
        """As plain data for the ledger; holds no secrets."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Terms:
        """What `to_json` wrote."""
        return Terms(
            policy=Policy(**plain["policy"]),
            waivers=tuple(waiver_from(one) for one in plain["waivers"]),
            plans=plain["plans"],
            title=plain["title"],
            base_url=plain["base_url"],
            brand=Brand(**plain["brand"]),
        )


def waiver_from(plain: Mapping[str, Any]) -> Waiver:
    """A waiver as `to_json` wrote it."""
    values: dict[str, Any] = dict(plain)
    for name in ("checks", *SCOPES):
        values[name] = tuple(values[name])
    values["expires"] = date.fromisoformat(values["expires"])
    return Waiver(**values)
