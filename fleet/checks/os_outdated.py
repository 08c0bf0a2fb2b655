"""A newer system for this model has been out for longer than the organisation wants to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from fleet.apple.catalog import Catalog, Model, Release, Version, preceding
from fleet.checks._check import Case, Check
from fleet.checks._system import UNKNOWN_MODEL, UNREADABLE_VERSION, model_of, version_of
from fleet.model.fact import Gap
from fleet.model.finding import CLEAR, Basis, Evidence, Found, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.model.policy import Policy


class Rule(StrEnum):
    """Why an installed system counts as outdated; the first that applies names the finding."""

    MAJOR = "major"
    EXPLOITED = "exploited"
    PATCH = "patch"


def judge(case: Case) -> Verdict:
    """Found by comparing with the releases that were public for this model at the time of judging.

    A beta, and a version newer than any that the catalogue knows for the model, are clear.
    """
    model, version = model_of(case), version_of(case)
    if model is None:
        return UNKNOWN_MODEL
    if version is None:
        return UNREADABLE_VERSION
    build = case.device.os_build
    if not isinstance(build, Gap) and build[-1:].islower():
        return CLEAR
    return _verdict(case.catalog, model.identifier, version, case.now, case.policy)


def allowed_majors(catalog: Catalog, model: Model, now: datetime, policy: Policy) -> frozenset[int]:
    """The majors on which a device of this model may be.

    The newest public one that it can run; the one before, while Apple still patches that; and for
    `os_major_grace_days` after the newest came out also the one before those two.
    """
    day = now.date()
    top = _top(catalog, model, day)
    before = preceding(top)
    allowed = {top, before} if catalog.patched(before, day) else {top}
    first = catalog.major_out(top, day)
    if first and now - first.public_from <= timedelta(days=policy.os_major_grace_days):
        allowed.add(preceding(before))
    return frozenset(allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """What stands against one installed version of one model."""

    catalog: Catalog
    installed: Version
    top: int
    newest: Release | None
    newer: Sequence[Release]
    now: datetime

    @property
    def patches(self) -> list[Release]:
        """Newer releases of the installed major."""
        return [release for release in self.newer if release.major == self.installed[0]]

    @property
    def download_gb(self) -> tuple[float | None, float | None]:
        """What the update to the newest downloads, the least and the whole; the least is known between majors only."""
        least, whole = (self.newest and self.catalog.download_gb(self.newest)) or (None, None)
        return (least if self.top > self.installed[0] else None), whole

    @property
    def at_its_end(self) -> bool:
        """Whether the hardware gets none of the two newest majors any more: it is to be replaced."""
        return self.top < self.catalog.newest_majors(self.now.date())[1]

    @property
    def exploited(self) -> list[Release]:
        """Newer releases that close exploited holes which the installed one still has.

        One of a later major only counts where it came out after the installed one: Apple closes the same hole
        in all the majors that it patches, within days.
        """
        since = max(
            (release.date for release in self.catalog.releases if self._precedes(release)), default=date.min
        )
        return [r for r in self.newer if r.exploited and (r.major == self.installed[0] or r.date > since)]

    def _precedes(self, release: Release) -> bool:
        return release.major == self.installed[0] and release.number <= self.installed

    def out_longer(self, releases: Sequence[Release], days: int) -> bool:
        """Whether any of them has been public for more than that many days."""
        return any(self.now - release.public_from > timedelta(days=days) for release in releases)


# One answer serves every device with the same model and system, and a fleet has a few hundred such pairs.
@lru_cache(maxsize=4096)
def _verdict(catalog: Catalog, identifier: str, installed: Version, now: datetime, policy: Policy) -> Verdict:
    model = catalog.models[identifier]
    day = now.date()
    releases = catalog.releases_for(model, day)
    outlook = _Outlook(
        catalog=catalog,
        installed=installed,
        top=_top(catalog, model, day),
        newest=next(iter(releases), None),
        newer=[release for release in releases if release.number > installed],
        now=now,
    )
    attacked = outlook.out_longer(outlook.exploited, policy.os_exploited_grace_days)
    rule = _rule(outlook, policy, allowed_majors(catalog, model, now, policy), attacked=attacked)
    if rule is None:
        return CLEAR
    return _found(outlook, rule, Severity.HIGH if attacked else Severity.MEDIUM)


def _rule(outlook: _Outlook, policy: Policy, allowed: frozenset[int], *, attacked: bool) -> Rule | None:
    major = outlook.installed[0]
    if major < outlook.top and major not in allowed:
        return Rule.MAJOR
    if attacked:
        return Rule.EXPLOITED
    late = outlook.out_longer(outlook.patches, policy.os_patch_grace_days)
    return Rule.PATCH if late else None


def _found(outlook: _Outlook, rule: Rule, severity: Severity) -> Found:
    newest, since = outlook.newest, _since(outlook, rule)
    least, whole = outlook.download_gb
    evidence: Evidence = {
        "rule": rule.value,
        "installed": _text(outlook.installed),
        "newest": newest.version if newest else str(outlook.top),
        "newest_since": newest.date.isoformat() if newest else None,
        "newest_exploited": newest.exploited if newest else None,
        "since": since.date.isoformat() if since else None,
        "days": (outlook.now - since.public_from).days if since else None,
        "exploited": [release.version for release in outlook.exploited],
        "download_gb": whole,
        "download_gb_least": least,
        "catalog_date": outlook.catalog.date,
    }
    known = {key: value for key, value in evidence.items() if value is not None or key not in _SAID_IF_KNOWN}
    return Found(severity, _summary(rule, outlook, evidence), known)


_SAID_IF_KNOWN = ("download_gb", "download_gb_least")


def _summary(rule: Rule, outlook: _Outlook, evidence: Evidence) -> str:
    what = _SUMMARIES[rule].format(**evidence, major=outlook.installed[0])
    whose = "last for this model, whose hardware is at its end," if outlook.at_its_end else "newest for it"
    since = f" of {evidence['newest_since']}" if outlook.newest else ""
    least = outlook.download_gb[0]
    space = f" and wants at least {least:.1f} GB of free storage" if least else ""
    return f"{what} The {whose} is {evidence['newest']}{since}{space}."


_SUMMARIES = {
    Rule.MAJOR: "Version {installed} is installed, and {major} is no longer an allowed major.",
    Rule.EXPLOITED: (
        "Version {installed} has holes that are used in attacks; a release that closes them has been out for "
        "{days} days."
    ),
    Rule.PATCH: "Version {installed} is installed; a patch for it has been out for {days} days.",
}


def _since(outlook: _Outlook, rule: Rule) -> Release | None:
    """The release from which on the installed version has been outdated."""
    if rule is Rule.MAJOR:
        return outlook.catalog.major_out(outlook.top, outlook.now.date())
    releases = outlook.exploited if rule is Rule.EXPLOITED else outlook.patches
    return min(releases, key=lambda release: (release.date, release.number), default=None)


def _top(catalog: Catalog, model: Model, day: date) -> int:
    newest, _ = catalog.newest_majors(day)
    return min(model.max_major, newest) if newest else model.max_major


def _text(version: Version) -> str:
    numbers = list(version)
    while len(numbers) > 2 and numbers[-1] == 0:  # noqa: PLR2004 - Apple writes "26.4", never "26.4.0"
        numbers.pop()
    return ".".join(map(str, numbers))


CHECK = Check(
    id="os-outdated",
    title="The system is outdated",
    rule=(
        "Found when, for this model, a patch of the installed major has been out for more than "
        "{os_patch_grace_days} days (medium), a release that closes exploited holes for more than "
        "{os_exploited_grace_days} days (high), or the installed major is no longer allowed (medium): "
        "allowed are the newest, the one before while Apple patches it, and for {os_major_grace_days} days "
        "after a new one the one before those."
    ),
    clears="It ends when the device reports the newest system for its model.",
    basis=Basis.OBSERVED,
    reads=frozenset({"model_identifier", "model_name", "os_version", "os_build"}),
    fixes=("enforce-update", "update-system"),
    judge=judge,
    source="macadmins/sofa release feed and Apple's public release list, read 2026-11-22",
    assumes={
        "model_identifier": "that the model is the one its name says",
        "os_build": "that the installed system is a release, not a beta",
    },
)
