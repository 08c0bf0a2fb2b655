"""Proving a login and each permission, one step at a time, for `fleetkeep doctor`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from connectors import _rows
from fleet.errors import PermissionMissing, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors._http import Answer


def anything(answer: Answer) -> object:
    """Any whole JSON answer will do."""
    return _rows.anything(answer.body)


def signed_in(step: Callable[[], object]) -> tuple[str, str | None]:
    """The step "login" by a request of any kind: one that lacks a permission proves that the credential is known."""

    def known() -> None:
        with suppress(PermissionMissing):
            step()

    return tried("login", known)


def tried(name: str, step: Callable[[], object]) -> tuple[str, str | None]:
    """The step's name with the error that it met, or None where it went well."""
    try:
        step()
    except SourceError as error:
        return name, str(error)
    return name, None
