"""The reference pages in `docs/`, made from the models and catalogues that the program runs by.

`python -m tests.reference` writes them; a test compares. What a key means stands in its model's docstring, under
`Attributes`, where whoever changes the key sees it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors import registry
from connectors._connector import SourceSettings
from fleet import guide, settings
from fleet.checks import CHECKS, FLEET_CHECKS
from fleet.checks._check import Check
from fleet.checks.weights import WEIGHTS
from fleet.cli import capability
from fleet.model.device import SIGNALS
from fleet.model.policy import Policy
from reports.notify._channel import AudienceSettings
from reports.notify.registry import CHANNELS
from tests.faults.rows import ROWS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors._connector import Connector
    from fleet.checks._fleet import FleetCheck

README = Path(__file__).parent.parent / "README.md"
DOCS = README.parent / "docs"
Schema: TypeAlias = Mapping[str, Any]
_MADE = "<!-- made from the code by `python -m tests.reference` -->\n\n"
_TABLES: Mapping[str, type[BaseModel]] = {
    "[database]": settings.DatabaseKeys,
    "[report]": settings.Report,
    "[privacy]": settings.Privacy,
    "[run]": settings.Run,
    "[catalog]": settings.Catalog,
    "[[waiver]]": settings.WaiverKeys,
}
_SETTINGS_HEAD = f"""\
# Settings

{_MADE}Relative paths are relative to the file. A *reference* says where a secret is: `{{ env = "NAME" }}`,
`{{ file = "/run/secrets/x" }}`, `{{ command = ["op", "read", "op://…"] }}` or `{{ keyring = "service/user" }}`.
`fleetkeep init` writes a file to start from.
"""
_FAULTS_HEAD = f"""\
# Faults

{_MADE}Thirty faults of networks, servers and machines, and what a night makes of each. None is pretended: servers on
this machine throttle, break off, drip, lie and lead astray; processes are killed, disks are full, a PostgreSQL is
stopped. Each is met by the command as its user types it, and judged by its exit code, what it says, the database and
the report.

- `python -m tests.faults` drives every row, or those whose numbers are given, and prints what was seen and said.
- With `FLEETKEEP_FAULTS_IN_FULL=1` the same at full size: a minute of 503, 100,000 devices gone, a million in 512 MB.
- `python -m tests.faults.kills 200` kills two hundred nights at random moments. After each the database is whole, the
  latest report too, and the next night is complete.

"""
_USUAL = {
    "url": "the server's address",
    "client_id": "of the API client",
    "client_secret": "of the API client",
    "username": "of the account",
    "password": "of the account",
    "email": "of the account",
    "api_key": "as the console shows it",
    "api_token": "as the console shows it",
    "access_token": "as the console shows it",
    "refresh_token": "of the API client",
    "detail": "ask for each device what the list does not tell",
    "profiles": "read configuration profiles, for `backup_restricted` and `vpn_configured`",
}
"""What keys of this name mean with every vendor, where its model does not say more."""


def pages() -> dict[Path, str]:
    """The text of every page, by its file."""
    kinds = {kind: registry.connector(kind) for kind in registry.OWN_KINDS}
    return {
        DOCS / "settings.md": _settings_page(),
        DOCS / "checks.md": _checks_page(),
        DOCS / "faults.md": _faults_page(),
        **{DOCS / "connectors" / f"{kind}.md": _connector_page(one) for kind, one in kinds.items()},
        DOCS / "connectors.md": _with_kinds((DOCS / "connectors.md").read_text("utf-8"), kinds.values()),
        README: _with_matrix(README.read_text("utf-8")),
    }


def meanings(model: type) -> dict[str, str]:
    """What a model's docstring, and those of the models that it extends, say of its keys."""
    found: dict[str, str] = {}
    for each in [one for one in reversed(model.__mro__) if not one.__module__.startswith("pydantic")]:
        _, _, listed = (inspect.cleandoc(each.__doc__ or "")).partition("Attributes:\n")
        for key, said in re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", listed, re.MULTILINE):
            found[key] = re.sub(r"\s+", " ", said).removesuffix(".")
    return found


def _settings_page() -> str:
    parts = [_SETTINGS_HEAD]
    for name, model in _TABLES.items():
        parts += [f"## `{name}`\n", _model_table(model)]
        if name == "[report]":
            parts += ["## `[policy]`\n", _policy_table()]
    parts += [
        "## `[[source]]`\n",
        "What a kind adds stands on [its page](connectors.md).\n",
        _model_table(SourceSettings),
    ]
    parts += ["## `[[notify]]`\n", "What every kind but `ping` knows:\n", _model_table(AudienceSettings)]
    for kind, channel in CHANNELS.items():
        parts += [f"### `{kind}`\n", _model_table(channel.settings, without=AudienceSettings)]
    return "\n".join(parts)


def _model_table(model: type[BaseModel], without: type[BaseModel] | None = None) -> str:
    schema, known = model.model_json_schema(), _USUAL | meanings(model)
    skipped = without.model_fields if without else {}
    rows = [
        (
            f"`{key}`",
            _takes(key, one, schema),
            _default(key, one, schema.get("required", ())),
            known.get(key, ""),
        )
        for key, one in schema["properties"].items()
        if key not in skipped
    ]
    return _table(("key", "takes", "default", "means"), rows)


def _takes(key: str, one: Schema, whole: Schema) -> str:
    # Those of a source may be false by their type, and are then refused with a sentence.
    return "`true` or path" if key == "verify" else _allowed(one, whole)


def _policy_table() -> str:
    known = meanings(Policy)
    rows = [(f"`{one.name}`", f"`{getattr(Policy(), one.name)}`", known[one.name]) for one in fields(Policy)]
    return _table(("key", "default", "means"), rows)


def _default(key: str, one: Schema, required: Iterable[str]) -> str:
    if key in required:
        return "required"
    default = one.get("default")
    return "" if default in (None, [], {}) else f"`{json.dumps(default, ensure_ascii=False)}`"


def _allowed(one: Schema, whole: Schema) -> str:
    """What a key takes, in words."""
    if "$ref" in one:
        return _allowed(whole["$defs"][one["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in one:
        return " or ".join(_allowed(each, whole) for each in one["anyOf"] if each.get("type") != "null")
    if "enum" in one:
        return ", ".join(f"`{word}`" for word in one["enum"])
    if "const" in one:
        return f"`{json.dumps(one['const'])}`"
    if one["type"] == "array":
        return f"list of {_allowed(one['items'], whole)}"
    return _FORMATS.get(one.get("format", "")) or _TYPES[one["type"]] + _bounds(one)


_FORMATS = {"password": "reference", "path": "path", "date": "day"}
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true`, `false`",
    "object": "table",
}


def _bounds(one: Schema) -> str:
    least, over, most = one.get("minimum"), one.get("exclusiveMinimum"), one.get("maximum")
    low = f" from {least}" if least is not None else f" above {over}" if over is not None else ""
    return low + (f" to {most:,}" if most is not None else "")


def _checks_page() -> str:
    text = (
        "# Checks\n\n"
        + _MADE
        + "With the thresholds of the default [`[policy]`](settings.md#policy). How verdicts become"
        " findings: [how a device is judged](judgement.md).\n"
    )
    each = "\n".join(map(_check, CHECKS))
    fleet_wide = "\n".join(map(_check, FLEET_CHECKS))
    return f"{text}\n## Of each device\n\n{each}\n## Of the fleet\n\n{fleet_wide}"


def _check(check: Check | FleetCheck) -> str:
    fixes, thresholds = guide.load(), asdict(Policy())
    lines = [
        f"### `{check.id}`: {check.title}\n",
        f"{check.rule.format(**thresholds)}\n",
        f"- Reads {_reads(check)}.",
        *_only_for_devices(check, thresholds),
        f"- What helps: {'; '.join(fixes[fix].title for fix in check.fixes)}.",
        *(f"- As the cause of a missing backup: {one.told}" for one in WEIGHTS if one.check == check.id),
        f"- Rests on: {check.source} ({check.basis}).\n",
    ]
    return "\n".join(lines)


def _reads(check: Check | FleetCheck) -> str:
    if isinstance(check, Check):
        return ", ".join(f"`{name}`" for name in SIGNALS if name in check.reads)
    return check.looks_at


def _only_for_devices(check: Check | FleetCheck, thresholds: Mapping[str, object]) -> Iterator[str]:
    if not isinstance(check, Check):
        return
    if check.clears:
        yield f"- {check.clears.format(**thresholds)}"
    if check.beside_backup:
        yield "- Judged only where the device has a backup problem as well."
    if check.problem != check.id:
        yield f"- One problem, and one ticket, with the others of `{check.problem}`."


def _connector_page(connector: Connector[Any]) -> str:
    permissions = [
        (f"{one.name}{' (optional)' if one.optional else ''}", one.needed_for, one.where)
        for one in connector.permissions
    ]
    rows = [
        (
            f"`{name}`",
            capability.said(name, connector),
            capability.reason(name, connector).removeprefix("never: "),
        )
        for name in SIGNALS
    ]
    keys = _model_table(connector.settings, without=SourceSettings)
    name = connector.kind.replace("_", "-")
    block = f'[[source]]\nname = "{name}"\nkind = "{connector.kind}"\n' + connector.example.strip("\n")
    return "\n".join(
        [
            f"# {connector.title}: `{connector.kind}`\n",
            _MADE + f"Facts confirmed by: {connector.confirmed}.\n",
            f"```toml\n{block}\n```\n",
            "The keys of every source: [settings](../settings.md#source). Its own:\n",
            keys,
            "## Least permission\n",
            _table(("permission", "for", "where"), permissions) if permissions else "None.\n",
            "## Signals\n",
            _table(("signal", "reported", "field, and what to know"), rows),
        ]
    )


def _faults_page() -> str:
    rows = [(str(one.number), one.fault, one.outcome, str(one.code)) for one in ROWS]
    return _FAULTS_HEAD + _table(("", "fault", "what comes of it", "exit"), rows)


def _with_kinds(page: str, connectors: Iterable[Connector[Any]]) -> str:
    listed = "\n".join(f"- [{one.title}](connectors/{one.kind}.md): `{one.kind}`" for one in connectors)
    return re.sub(r"(<!-- kinds.*?-->\n).*?(<!-- /kinds -->)", rf"\1\n{listed}\n\n\2", page, flags=re.DOTALL)


def _with_matrix(page: str) -> str:
    made = capability.matrix(registry.OWN_KINDS)
    return re.sub(
        r"(<!-- connectors.*?-->\n).*?(<!-- /connectors -->)", rf"\1{made}\n\2", page, flags=re.DOTALL
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(map(_line, (head, ("---",) * len(head), *rows)))


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
