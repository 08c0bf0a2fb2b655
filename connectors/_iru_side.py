"""What Iru says of many devices at once beside the device list; a list that cannot be read costs its facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from connectors import _rows, _wire
from connectors._iru_lists import WHERE, linked, prism
from connectors._iru_profiles import custom_profiles, judged
from connectors._iru_record import Inventory, SideData, identity, person_id, read_inventory
from fleet.errors import AuthRefused, BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.fact import Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors._http import Api

T = TypeVar("T")

INFORMATION = "Device information (/prism/device_information)"
CELLULAR = "Cellular (/prism/cellular)"
INSTALLED = "Installed profiles (/prism/installed_profiles)"
CUSTOM = "Custom profiles (/library/custom-profiles)"
USERS = "Users (/users)"
PATHS = {
    INFORMATION: "/api/v1/prism/device_information",
    CELLULAR: "/api/v1/prism/cellular",
    INSTALLED: "/api/v1/prism/installed_profiles",
    CUSTOM: "/api/v1/library/custom-profiles",
    USERS: "/api/v1/users",
}
# Which of 401 and 403 a missing tick gives is not documented; that the token itself is good is proven before.
SIDE_ERRORS = (AuthRefused, PermissionMissing, NotFound, ServerTrouble, BadAnswer)


def side_data(api: Api, *, profiles: bool) -> tuple[SideData, tuple[Trouble, ...]]:
    """All of it, with a trouble for each list that could not be read."""
    reader = _Reader(api, [])
    side = SideData(
        inventories=reader.told("inventory_unread", INFORMATION, _inventories),
        roaming=reader.told("roaming_unread", CELLULAR, _roaming),
        departments=reader.told("departments_unread", USERS, _departments),
        profiles=_profiles(reader) if profiles else None,
    )
    return side, tuple(reader.troubles)


@dataclass(frozen=True, slots=True)
class _Reader:
    api: Api
    troubles: list[Trouble]

    def told(self, code: str, permission: str, read: Callable[[Api], Mapping[str, T]]) -> Mapping[str, T]:
        """What `read` brings; nothing at all where it breaks off, because half a list would say too much."""
        try:
            return read(self.api)
        except SIDE_ERRORS:
            why = f'Iru did not give "{permission}", so its facts are absent: grant it to the token ({WHERE})'
            self.troubles.append(Trouble(code, why))
            return {}


def _profiles(reader: _Reader) -> Mapping[str, tuple[Fact[bool], Fact[bool]]]:
    custom = reader.told(
        "custom_profiles_unread",
        CUSTOM,
        lambda api: custom_profiles(linked(api, PATHS[CUSTOM], "page", CUSTOM)),
    )
    return reader.told(
        "installed_profiles_unread",
        INSTALLED,
        lambda api: judged(prism(api, PATHS[INSTALLED], INSTALLED), custom),
    )


def _inventories(api: Api) -> dict[str, Inventory]:
    rows = _of_devices(prism(api, PATHS[INFORMATION], INFORMATION))
    return {device: read_inventory(row) for device, row in rows}


def _roaming(api: Api) -> dict[str, Fact[bool]]:
    rows = _of_devices(prism(api, PATHS[CELLULAR], CELLULAR))
    return {device: _wire.flag(_rows.field(row, "is_roaming_slot_1")) for device, row in rows}


def _of_devices(rows: Iterator[object]) -> Iterator[tuple[str, object]]:
    return ((device, row) for row in rows if (device := identity(row)) is not None)


def _departments(api: Api) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in linked(api, PATHS[USERS], "cursor", USERS):
        department = _wire.text(_rows.field(row, "department"))
        if not isinstance(department, Gap):
            ids = (person_id(_rows.field(row, key)) for key in ("deprecated_user_id", "id"))
            found |= dict.fromkeys(filter(None, ids), department)
    return found
