"""From the guide's TOML files to fixes and labels: an unknown key, a missing part or a wrong word is an error."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, cast

from fleet.guide.fix import (
    Audience,
    Cost,
    DeviceClass,
    Evidence,
    Fix,
    Management,
    Need,
    Password,
    Source,
    Variant,
    Way,
    Wording,
)
from fleet.guide.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import TypedDict

    Labels = Mapping[str, tuple[Wording, ...]]

    class _Span(TypedDict):
        devices: tuple[DeviceClass, ...]
        from_major: int | None
        up_to_major: int | None


_APPLE = "https://support.apple.com/"
_RISKY = 2
_MOST_RISK = 3


def read_fix(name: str, text: str, labels: Collection[str]) -> Fix:
    """The fix in the file `name`, which may speak of these labels.

    Raises:
        GuideError: the text is not a fix, or not one of that name.
    """
    table = Table.parsed(name, text)
    fix = Fix(
        id=table.text("id"),
        title=table.text("title"),
        audience=cast("Audience", table.word("audience", Audience)),
        why=table.text("why"),
        unseen=table.maybe_text("unseen") or "",
        verify=table.text("verify"),
        risk=table.number("risk"),
        cost=_cost(table.table("cost")),
        needs=tuple(map(_need, table.tables("needs"))),
        steps=tuple(map(_variant, table.tables("steps"))),
        mdm=_management(table.table("mdm")),
        sources=tuple(map(_source, table.tables("sources"))),
    )
    table.done()
    _check(fix, table, f"{fix.id}.toml" == name, labels)
    return fix


def read_labels(name: str, text: str) -> Labels:
    """What the labels of the file `name` are called, by label; the last wording of each fits every device.

    Raises:
        GuideError: the text is not a list of labels.
    """
    table = Table.parsed(name, text)
    for source in table.tables("sources"):
        _source(source)
    labels = {label: tuple(map(_wording, table.tables(label))) for label in table.keys()}  # noqa: SIM118 - a method
    for label, wordings in labels.items():
        if not wordings or not wordings[-1].general:
            table.fail(label, "the last wording must fit every device")
    return labels


def _check(fix: Fix, table: Table, named: bool, labels: Collection[str]) -> None:
    spoken = {label for variant in fix.steps for line in variant.lines for label in spoken_of(line)}
    wrong = (
        ("id", "is not the name of the file", not named),
        ("risk", f"must be between 0 and {_MOST_RISK}", fix.risk not in range(_MOST_RISK + 1)),
        (
            "cost",
            "a risky fix must say what data is at risk",
            fix.risk >= _RISKY and not fix.cost.data_at_risk,
        ),
        ("steps", "the last ones must fit every device", not fix.steps or not fix.steps[-1].for_all),
        ("steps", f"there is no label {', '.join(sorted(spoken - set(labels)))}", not spoken <= set(labels)),
        ("mdm", "says neither what management can do nor that it can do nothing", not str(fix.mdm)),
        ("sources", "must name where the facts are from", not fix.sources),
    )
    for key, why, true in wrong:
        if true:
            table.fail(key, why)


def spoken_of(line: str) -> list[str]:
    """The labels in a line."""
    return [label for _, label, _, _ in string.Formatter().parse(line) if label is not None]


def _cost(table: Table) -> Cost:
    cost = Cost(
        minutes=table.number("minutes"),
        data_at_risk=table.text("data_at_risk", empty=True),
        passwords=cast("tuple[Password, ...]", table.words("passwords", Password)),
    )
    table.done()
    if cost.minutes <= 0:
        table.fail("minutes", "must be above 0")
    return cost


def _span(table: Table) -> _Span:
    return {
        "devices": cast("tuple[DeviceClass, ...]", table.maybe_words("devices", DeviceClass)),
        "from_major": table.maybe_number("from_major"),
        "up_to_major": table.maybe_number("up_to_major"),
    }


def _need(table: Table) -> Need:
    need = Need(managed=table.flag("managed"), **_span(table))
    table.done()
    return need


def _variant(table: Table) -> Variant:
    variant = Variant(
        lines=table.texts("lines"), force_restart=table.maybe_text("force_restart"), **_span(table)
    )
    table.done()
    if not variant.lines:
        table.fail("lines", "must not be empty")
    return variant


def _wording(table: Table) -> Wording:
    wording = Wording(text=table.text("text"), **_span(table))
    table.done()
    return wording


def _management(table: Table) -> Management:
    management = Management(note=table.text("note", empty=True), ways=tuple(map(_way, table.tables("ways"))))
    table.done()
    return management


def _way(table: Table) -> Way:
    way = Way(
        command=table.text("command"),
        does=table.text("does"),
        supervised=table.flag("supervised"),
        from_major=table.maybe_number("from_major"),
        removed_in=table.maybe_number("removed_in"),
    )
    table.done()
    return way


def _source(table: Table) -> Source:
    source = Source(
        title=table.text("title"),
        evidence=cast("Evidence", table.word("evidence", Evidence)),
        read=table.day("read"),
        url=table.maybe_text("url"),
    )
    table.done()
    if source.url and not (source.evidence == "apple" and source.url.startswith(_APPLE)):
        table.fail("url", f"only pages of {_APPLE} that were read are linked")
    return source
