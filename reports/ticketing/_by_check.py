"""Tickets of one check each, for a desk that hands a whole problem to one team."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fleet.model.device_report import ANY_DEVICE
from fleet.model.fact import known
from fleet.model.finding import Action, Finding
from fleet.model.fingerprint import fingerprint
from reports.ticketing._kind import flat
from reports.ticketing._night import Night, plan_of, ticket_of
from reports.ticketing._text import SOLVED
from reports.ticketing._ticket import Ticket, label
from reports.ticketing._together import check_from_now_on, combined, state_of, weight

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from fleet.model.device_report import DeviceReport, PlanStep

LISTED = 100
"""How many devices a ticket names; the report has them all."""


@dataclass(slots=True)
class _Group:
    """What is kept of one check's findings: counts, the worst one, and the first devices by name."""

    worst: Finding
    before: bool = False
    after: bool = False
    actions: set[Action] = field(default_factory=set[Action])
    listed: list[str] = field(default_factory=list[str])
    standing: int = 0

    @property
    def action(self) -> Action:
        """What the group's ticket needs tonight."""
        return combined(before=self.before, after=self.after, actions=self.actions)

    def add(self, finding: Finding) -> None:
        """Note one finding that goes by this check tonight."""
        merged = finding if weight(finding) < weight(self.worst) else self.worst
        self.worst = replace(
            merged,
            first_seen=min(self.worst.first_seen, finding.first_seen),
            last_seen=max(self.worst.last_seen, finding.last_seen),
            opened_at=min(self.worst.opened_at, finding.opened_at),
            sources=tuple(sorted({*self.worst.sources, *finding.sources})),
        )


@dataclass(frozen=True, slots=True)
class ByCheck:
    """One ticket per check, with the devices in it; a vanished device leaves it."""

    night: Night
    wanted: Collection[Action]
    _groups: dict[str, _Group] = field(default_factory=dict[str, _Group])

    def of_device(self, report: DeviceReport) -> Iterable[Ticket]:
        """None yet: every ticket waits for the last device."""
        for finding in report.findings:
            self._add(report, finding)
        return ()

    def at_end(self) -> Iterator[Ticket]:
        """One ticket per check, in the order of their ids."""
        for check, group in sorted(self._groups.items()):
            if group.action in self.wanted:
                yield self._ticket(check, group)

    def _add(self, report: DeviceReport, finding: Finding) -> None:
        group = self._group(finding.check, finding)
        group.add(finding)
        if finding.state.standing:
            group.standing += 1
            if len(group.listed) < LISTED:
                group.listed.append(_entry(report, finding))
        self._move(finding)

    def _move(self, finding: Finding) -> None:
        """A ticket that changes its check leaves one group's ticket and joins another's."""
        was, now = finding.ticket_check, check_from_now_on(finding)
        for check in {check for check in (was, now) if check is not None}:
            group = self._group(check, finding)
            group.before |= check == was
            group.after |= check == now
            group.actions.add(finding.action)

    def _group(self, check: str, finding: Finding) -> _Group:
        if check not in self._groups:
            self._groups[check] = _Group(replace(finding, check=check))
        return self._groups[check]

    def _ticket(self, check: str, group: _Group) -> Ticket:
        night, worst = self.night, group.worst
        number = "1 device" if group.standing == 1 else f"{group.standing:,} devices"
        plan = plan_of(night, worst.fixes)
        url = f"{night.base_url}index.html"
        return replace(
            ticket_of(night, worst),
            external_id=fingerprint("ticket", check),
            action=group.action,
            state=state_of(group.action, [worst]),
            title=f"{night.texts.title(check)}: {number}",
            summary=f"{night.texts.title(check)} on {number}.",
            evidence="",
            remediation=night.texts.remediation(worst.fixes),
            closing=None if group.standing else SOLVED,
            user_text="\n".join(night.texts.for_you(plan, ANY_DEVICE)) if group.standing else SOLVED,
            admin_text=night.with_link("\n".join(self._admin_lines(check, group, plan)), url),
            devices=group.standing,
            url=url,
        )

    def _admin_lines(self, check: str, group: _Group, plan: Sequence[PlanStep]) -> Iterator[str]:
        rule = self.night.texts.checks.get(check)
        if rule:
            yield f"Rule: {rule.rule}"
        steps = self.night.texts.steps(plan, ANY_DEVICE, "admin")
        if steps:
            yield from ("", "For an administrator:", *steps)
        yield from ("", "Devices:", *group.listed)
        rest = group.standing - len(group.listed)
        if rest:
            yield f"and {rest:,} more; the report lists them all"


def _entry(report: DeviceReport, finding: Finding) -> str:
    device = report.device
    parts = [label(device), known(device.serial), known(device.user_email) or known(device.user_name)]
    return f"- {', '.join(flat(part) for part in parts if part)}: {finding.summary}"
