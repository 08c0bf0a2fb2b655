"""What a profile is: the columns of one product's importer, and what that importer does with rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from fleet.model.finding import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.model.device_report import DeviceReport
    from fleet.model.run import RunReport
    from reports.ticketing._kind import Kind, Value
    from reports.ticketing._ticket import Ticket

R = TypeVar("R")
CHANGES = (Action.CREATE, Action.UPDATE, Action.REOPEN, Action.RESOLVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One device as an asset product sees it: our verdict as attributes of a thing that it already has.

    Attributes:
        base_url: what addresses in the report start with; empty where no one can follow them.
    """

    report: DeviceReport
    run: RunReport
    base_url: str


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column of a product's file.

    Attributes:
        name: its header, as the product knows it; some products want one header several times.
        value: what stands in it for a row, None for an empty cell.
        required: an empty cell is wrong.
    """

    name: str
    kind: Kind
    value: Callable[[R], Value]
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """One product's file.

    Attributes:
        name: the word on the command line.
        product: its name for people.
        unique: the column by which rows are told apart, where it is in the file.
        row_limit: how many rows the product takes from one file; None where it states none.
        spreadsheet: people open it in a spreadsheet before they import it, so it is written for one.
    """

    name: str
    product: str
    unique: str | None
    row_limit: int | None = None
    spreadsheet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProfile(_Profile):
    """The file of a product that takes tickets.

    Attributes:
        takes: the actions that its importer can carry out; rows with others are left out unless asked for.
    """

    columns: tuple[Column[Ticket], ...]
    takes: tuple[Action, ...] = CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetProfile(_Profile):
    """The file of a product that takes assets: one row per device, whatever was found.

    Attributes:
        lacks: why a device cannot be a row, in words that fit behind "devices", or None.
    """

    columns: tuple[Column[Asset], ...]
    lacks: Callable[[DeviceReport], str | None]


AnyProfile: TypeAlias = TicketProfile | AssetProfile
