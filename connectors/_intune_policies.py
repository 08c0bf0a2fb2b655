"""Which devices Intune's configuration policies keep from iCloud Backup, or put behind a VPN of their own.

A policy says what it forbids, its status list on which devices it is in force (deviceConfiguration and
deviceConfigurationDeviceStatus, Graph, read 2026-11-22). Settings catalog policies have no such list that a
read permission opens, so one that matters leaves every device unproven.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from connectors import _rows, _wire
from connectors._effect import Effect, Effects
from connectors._intune_graph import READ_POLICIES, SIDE_FAILURES, pages
from connectors._profile import VPN, read_profile
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Api

TEMPLATES = "/beta/deviceManagement/deviceConfigurations"
_CATALOG = "/beta/deviceManagement/configurationPolicies?$expand=settings,assignments"
_IN_FORCE = {"compliant", "remediated"}
_NOT_THERE = {"notapplicable", "notassigned"}
_ID_LENGTH = 36
_CATALOG_BACKUP = "com.apple.applicationaccess_allowcloudbackup"


def read_policies(api: Api) -> Effects:
    """Every policy that matters and where it is in force; what cannot be read leaves its effects unproven."""
    policies = Effects()
    try:
        for rows in pages(api, f"{TEMPLATES}?$expand=assignments", READ_POLICIES):
            for row in rows:
                _read_template(api, row, policies)
        for rows in pages(api, _CATALOG, READ_POLICIES):
            for row in rows:
                _read_catalog(row, policies)
    except SIDE_FAILURES as error:
        policies.not_whole(
            Trouble(
                "policies_unread",
                "Not every configuration policy could be read, so backup_restricted and vpn_configured are absent "
                f"where none is proven: {error}",
            )
        )
    return policies


def _read_template(api: Api, row: object, policies: Effects) -> None:
    if _rows.field(row, "assignments") == []:
        return
    policy_id, in_force = _wire.text(_rows.field(row, "id")), list[Effect]()
    for effect, has in zip((policies.backup, policies.vpn), _effects(row), strict=True):
        if isinstance(has, Gap) or (has and isinstance(policy_id, Gap)):
            effect.whole = False
        elif has:
            in_force.append(effect)
    if in_force and not isinstance(policy_id, Gap):
        for status in _statuses(api, policy_id):
            for effect in in_force:
                _note(effect, status)


def _effects(row: object) -> tuple[Fact[bool], Fact[bool]]:
    """Whether a template keeps from iCloud Backup, and whether it makes a VPN of its own accord."""
    match _rows.field(row, "@odata.type"):
        case "#microsoft.graph.iosGeneralDeviceConfiguration":
            return _wire.flag(_rows.field(row, "iCloudBlockBackup")), False
        case "#microsoft.graph.iosVpnConfiguration" | "#microsoft.graph.iosikEv2VpnConfiguration":
            return False, _dials_itself(row)
        case "#microsoft.graph.iosCustomConfiguration":
            return _custom_effects(_rows.field(row, "payload"))
        case _:
            return False, False


def _dials_itself(row: object) -> Fact[bool]:
    always = _rows.field(row, "connectionType") == "alwaysOn"
    if always or _rows.field(row, "enableAlwaysOnConfiguration") is True:
        return True
    if not _rows.has(row, "onDemandRules"):
        return ABSENT
    rules = _rows.field(row, "onDemandRules")
    try:
        actions = [_rows.field(rule, "action") for rule in _rows.rows([] if rules is None else rules)]
    except ValueError:
        return UNREADABLE
    return any(action in {"connect", "evaluateConnection"} for action in actions if isinstance(action, str))


def _custom_effects(payload: object) -> tuple[Fact[bool], Fact[bool]]:
    try:
        body = base64.b64decode(payload, validate=True) if isinstance(payload, str) else b""
    except ValueError:
        body = b""
    profile = read_profile(body)
    return (ABSENT, ABSENT) if profile is None else (profile.forbids_backup, profile.makes_vpn)


def _statuses(api: Api, policy_id: str) -> Iterator[object]:
    path = f"{TEMPLATES}/{quote(policy_id, safe='')}/deviceStatuses"
    for rows in pages(api, path, READ_POLICIES):
        yield from rows


def _note(effect: Effect, row: object) -> None:
    """The device's id is the end of the status's own, after the policy's; no property names it."""
    status_id, status = _wire.text(_rows.field(row, "id")), _wire.text(_rows.field(row, "status"))
    if isinstance(status_id, Gap) or isinstance(status, Gap):
        effect.whole = False
    elif status.lower() in _IN_FORCE:
        effect.proven.add(status_id[-_ID_LENGTH:].lower())
    elif status.lower() not in _NOT_THERE:
        effect.unclear.add(status_id[-_ID_LENGTH:].lower())


def _read_catalog(row: object, policies: Effects) -> None:
    if _rows.field(row, "assignments") == []:
        return
    complete = isinstance(_rows.field(row, "settings"), list) and not _rows.has(
        row, "settings@odata.nextLink"
    )
    blocks = tunnels = not complete
    for setting, value in _settings(row):
        blocks |= setting == _CATALOG_BACKUP and not value.endswith("_true")
        tunnels |= setting.startswith(VPN)
    policies.backup.whole &= not blocks
    policies.vpn.whole &= not tunnels
    if complete and (blocks or tunnels):
        policies.troubles.append(Trouble("catalog_unproven", _UNPROVEN))


_UNPROVEN = (
    "A settings catalog policy forbids iCloud Backup or sets up a VPN, and on which devices it is in force only a "
    "report tells that needs a write permission; the signal is absent where no other policy proves it. A device "
    "restrictions or VPN template in its place can be read"
)


def _settings(row: object) -> Iterator[tuple[str, str]]:
    """Every setting with its chosen value, however deeply groups are nested."""
    waiting = [_rows.field(row, "settings")]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(cast("list[object]", node))
        elif keys := _rows.mapping(node):
            setting, chosen = keys.get("settingDefinitionId"), keys.get("choiceSettingValue")
            if isinstance(setting, str):
                value = _rows.field(chosen, "value")
                yield setting, value if isinstance(value, str) else ""
            waiting.extend(keys.values())
