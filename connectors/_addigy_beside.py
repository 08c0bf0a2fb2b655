"""What Addigy knows of devices outside of their list: names of policies, the people they belong to, pending updates.

Paths, shapes and permissions: Addigy API v2 specification, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from connectors import _rows, _wire
from connectors._addigy_record import Beside, fact_of, groups_of, platform_of
from connectors._pages import by_number
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.device import Platform
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE, Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors._http import Answer, Api

T = TypeVar("T")

CONSOLE = "Account > Integrations > API & Webhooks > V2"
VIEW_DEVICES = "View Devices"
VIEW_USERS = "View end users"
_PER_PAGE = 100
_UPDATED = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS, Platform.TVOS}


@dataclass(frozen=True, slots=True)
class _Person:
    name: Fact[str]
    email: Fact[str]
    department: Fact[str]


@dataclass(slots=True)
class SideData:
    """Answers for the devices of a page what their list does not say; each source of it is given up when it fails.

    Attributes:
        detail: ask for people and pending updates too.
        troubles: what could not be read, by code.
    """

    api: Api
    detail: bool
    troubles: dict[str, Trouble] = field(default_factory=dict[str, Trouble])
    _policies: Mapping[str, Fact[str]] | Gap | None = None
    _people_of: dict[str, Mapping[str, _Person] | Gap] = field(
        default_factory=dict[str, "Mapping[str, _Person] | Gap"]
    )
    _no_update: Gap = ABSENT
    _ask_for_updates: bool = True

    def of(self, items: list[object]) -> list[Beside]:
        """One answer for each item, in their order."""
        pending: dict[str, Fact[str]] = {}
        for org in dict.fromkeys(org for item in items if isinstance(org := org_of(item), str)):
            pending |= self._pending(org, [item for item in items if org_of(item) == org])
        return [self._of_one(item, pending) for item in items]

    def _of_one(self, item: object, pending: Mapping[str, Fact[str]]) -> Beside:
        policies = self._policy_names()
        groups = policies if isinstance(policies, Gap) else groups_of(item, policies)
        if not self.detail:
            return Beside(groups=groups)
        person = self._person(item)
        return Beside(
            groups=groups,
            user_name=person.name,
            user_email=person.email,
            department=person.department,
            pending_os_version=pending.get(_udid(item), self._no_update),
        )

    def _policy_names(self) -> Mapping[str, Fact[str]] | Gap:
        if self._policies is None:
            ask = partial(self.api.post, "/oa/policies/query", _names_of_policies, json={})
            why = "Names of policies could not be read, so groups are unknown: let the token view policies"
            self._policies = self._tried(ask, "policies_unresolved", why)
        return self._policies

    def _person(self, item: object) -> _Person:
        org, agent = org_of(item), _wire.text(_rows.field(item, "agentid"))
        if not isinstance(org, str) or not isinstance(agent, str):
            return _nobody(ABSENT)
        if org not in self._people_of:
            why = f'People of devices could not be read: grant "{VIEW_USERS}" to the token ({CONSOLE})'
            self._people_of[org] = self._tried(partial(_people, self.api, org), "users_unresolved", why)
        found = self._people_of[org]
        return _nobody(found) if isinstance(found, Gap) else found.get(agent, _nobody(ABSENT))

    def _pending(self, org: str, items: list[object]) -> Mapping[str, Fact[str]]:
        udids = [_udid(item) for item in items if platform_of(item) in _UPDATED and _udid(item)]
        if not (self.detail and self._ask_for_updates and udids):
            return {}
        path = f"/o/{quote(org, safe='')}/ddm-updates/devices/status/pending-updates"
        ask = partial(self.api.post, path, _versions, json=udids, permission=VIEW_DEVICES)
        why = f'Pending updates could not be read: grant "{VIEW_DEVICES}" to the token ({CONSOLE})'
        found = self._tried(ask, "updates_unresolved", why)
        if isinstance(found, Gap):
            self._no_update, self._ask_for_updates = found, False
            return {}
        return found

    def _tried(self, ask: Callable[[], T], code: str, why: str) -> T | Gap:
        try:
            return ask()
        except PermissionMissing:
            gap = NOT_PERMITTED
        except (NotFound, ServerTrouble, BadAnswer):
            gap = ABSENT
        self.troubles[code] = Trouble(code, why)
        return gap


def _nobody(gap: Gap) -> _Person:
    return _Person(gap, gap, gap)


def org_of(item: object) -> Fact[str]:
    """The id of the organisation that a device belongs to."""
    return _wire.text(_rows.field(item, "orgid"))


def _udid(item: object) -> str:
    said = _wire.text(fact_of(item, "udid"))
    return "" if isinstance(said, Gap) else said.upper()


def _names_of_policies(answer: Answer) -> dict[str, Fact[str]]:
    said = _rows.anything(answer.body)
    listed = _rows.rows(_rows.field(said, "items") if _rows.has(said, "items") else said)
    pairs = ((_wire.text(_rows.field(one, "policyId")), _rows.field(one, "name")) for one in listed)
    return {key: _wire.text(name) for key, name in pairs if not isinstance(key, Gap)}


def _versions(answer: Answer) -> dict[str, Fact[str]]:
    """The version that waits for each device, by its UDID in upper case; one without an update has no entry."""
    said = _rows.mapping(_rows.anything(answer.body))
    if said is None or any(one is not None and _rows.mapping(one) is None for one in said.values()):
        raise ValueError("no map of updates")
    return {udid.upper(): _wire.text(_rows.field(one, "os_version")) for udid, one in said.items()}


def _people(api: Api, org: str) -> dict[str, _Person]:
    """Who each device of an organisation is assigned to, by agent id; people without a device are not kept."""
    owners: dict[str, tuple[str, str]] = {}
    for row in _listed(api, _assignments(org)):
        agent, user = _wire.text(_rows.field(row, "agent_id")), _wire.text(_rows.field(row, "end_user_id"))
        since = _wire.text(_rows.field(row, "last_updated"))
        if isinstance(agent, str) and isinstance(user, str):
            claim = ("" if isinstance(since, Gap) else since, user)
            owners[agent] = max(claim, owners.get(agent, claim))  # the latest of several assignments
    wanted = {user for _, user in owners.values()}
    known: dict[str, _Person] = {}
    for row in _listed(api, f"/o/{quote(org, safe='')}/end-users/query") if wanted else ():
        user = _wire.text(_rows.field(row, "id"))
        if isinstance(user, str) and user in wanted:
            known[user] = _read_person(row)
            if len(known) == len(wanted):
                break
    return {agent: known[user] for agent, (_, user) in owners.items() if user in known}


def first_assignments(api: Api, org: str) -> None:
    """Ask once whether people may be read; raises `SourceError` where they may not."""
    _ask_page(api, _assignments(org), 1)


def _assignments(org: str) -> str:
    return f"/o/{quote(org, safe='')}/end-users/devices/query"


def _ask_page(api: Api, path: str, number: int) -> tuple[list[object], int]:
    body: dict[str, object] = {"page": number, "per_page": _PER_PAGE, "query": {}}
    return api.post(path, _counted, json=body, permission=VIEW_USERS)


def _counted(answer: Answer) -> tuple[list[object], int]:
    """The items of a page, and how many pages it says there are; no items may be null."""
    said = _rows.anything(answer.body)
    count = _rows.total(_rows.field(_rows.field(said, "metadata"), "page_count"))
    if count is None:
        raise ValueError("no number of pages")
    items = _rows.field(said, "items")
    return ([] if items is None else _rows.rows(items)), count


def _listed(api: Api, path: str) -> Iterator[object]:
    last = 1

    def fetch(number: int) -> list[object]:
        nonlocal last
        if number > last:
            return []
        items, last = _ask_page(api, path, number)
        return items

    for items in by_number(fetch, len, first=1):
        yield from items


def _read_person(row: object) -> _Person:
    told = [_wire.text(_rows.field(row, "display_name")), _wire.text(_rows.field(row, "user_name"))]
    return _Person(
        name=next((name for name in told if not isinstance(name, Gap)), told[0]),
        email=_email(_rows.field(row, "emails")),
        department=_wire.text(_rows.field(_rows.field(row, "enterprise"), "department")),
    )


def _email(value: object) -> Fact[str]:
    """The address marked as primary, else the first."""
    if value is None:
        return ABSENT
    try:
        listed = _rows.rows(value)
    except ValueError:
        return UNREADABLE
    chosen = next(
        (one for one in listed if _rows.field(one, "primary") is True), listed[0] if listed else None
    )
    return _wire.text(_rows.field(chosen, "value"))
