"""`[[source]]` and `[[notify]]`: tables whose kind decides their keys, and whose secrets are references."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, SecretStr

from fleet.errors import SecretUnavailable
from fleet.secrets import SecretRef, reference
from fleet.settings._addresses import address_fault
from fleet.settings._shared import anchored, refuse_strangers
from fleet.toml_table import Table, checked, keys_of, nearest, shown

if TYPE_CHECKING:
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
Resolver: TypeAlias = Callable[[SecretRef], SecretStr]
_ADDRESS_KEYS = ("url", "token_url", "login_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig(Generic[S]):
    """One `[[source]]`, or one `[[notify]]`: a table whose kind decides its keys.

    Attributes:
        table: which of the two, for messages.
        settings: its checked keys; secret ones hold a placeholder.
        secrets: for each secret key that is set, where its value is.
    """

    name: str
    kind: str
    enabled: bool
    settings: S
    secrets: Mapping[str, SecretRef]
    table: str = "source"

    def opened(self, resolver: Resolver) -> S:
        """The settings with their secrets; raises `SecretUnavailable` naming source, key and reference."""
        values: dict[str, SecretStr] = {}
        for key, ref in self.secrets.items():
            try:
                values[key] = resolver(ref)
            except SecretUnavailable as error:
                raise SecretUnavailable(f'{self.table} "{self.name}": {key}: {error}') from error
        return self.settings.model_copy(update=values)


def sources(tables: list[Table], base: Path, kinds: Mapping[str, type[S]]) -> tuple[SourceConfig[S], ...]:
    """Every `[[source]]`, without those that are wrong."""
    _refuse_namesakes(tables, "sources")
    configs = (_source(table, base, kinds) for table in tables)
    return tuple(config for config in configs if config is not None)


def notifications(
    tables: list[Table],
    base: Path,
    channels: Mapping[str, type[BaseModel]],
    known_sources: Collection[str],
) -> tuple[SourceConfig[Any], ...]:
    """Every `[[notify]]`, likewise; `known_sources` are those that it may be about."""
    _refuse_namesakes(tables, "notifications")
    configs: list[SourceConfig[Any]] = []
    for table in tables:
        model = _model(table, channels)
        if model is None:
            continue
        bare, refs = referenced(table, model)
        settings = checked(anchored(bare, model, base), model)
        if settings is not None:
            refuse_strangers(table, "sources", getattr(settings, "sources", ()), known_sources)
            common = settings.model_dump(include={"name", "kind", "enabled"})
            configs.append(SourceConfig(**common, settings=settings, secrets=refs, table="notify"))
    return tuple(configs)


def _source(table: Table, base: Path, kinds: Mapping[str, type[S]]) -> SourceConfig[S] | None:
    model = _model(table, kinds)
    if model is None:
        return None
    table, refs = referenced(table, model)
    _refuse_addresses(table)
    settings = checked(anchored(table, model, base), model)
    if settings is None:
        return None
    common = settings.model_dump(include={"name", "kind", "enabled"})
    return SourceConfig(**common, settings=settings, secrets=refs)


def _model(table: Table, kinds: Mapping[str, type[M]]) -> type[M] | None:
    """The model of the table's kind; None after taking down that there is none such."""
    kind = table.rows.get("kind")
    if isinstance(kind, str) and kind in kinds:
        return kinds[kind]
    found = "is required" if kind is None else f"found {shown(kind)}"
    table.fault("kind", f"{found}; {nearest(kind if isinstance(kind, str) else '', kinds)}")
    return None


def _refuse_namesakes(tables: list[Table], what: str) -> None:
    numbers: dict[str, int] = {}
    for number, table in enumerate(tables, 1):
        name = str(table.rows.get("name", number))
        if name in numbers:
            table.fault("name", f"{what} number {numbers[name]} and {number} share it; should be unique")
        numbers.setdefault(name, number)


def referenced(table: Table, model: type[BaseModel]) -> tuple[Table, dict[str, SecretRef]]:
    """The table with a placeholder for each of the model's secrets, and where their values are."""
    refs: dict[str, SecretRef] = {}
    secret_keys = [key for key in keys_of(model, SecretStr) if key in table.rows]
    for key in secret_keys:
        try:
            refs[key] = reference(table.rows[key])
        except ValueError as error:
            table.fault(key, str(error))
    return replace(table, rows={**table.rows, **dict.fromkeys(secret_keys, "placeholder")}), refs


def _refuse_addresses(table: Table) -> None:
    for key in _ADDRESS_KEYS:
        value = table.rows.get(key)
        fault = address_fault(value) if isinstance(value, str) else None
        if fault:
            table.fault(key, fault)
