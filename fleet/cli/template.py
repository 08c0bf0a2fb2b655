"""The text of a new settings file, made from the models that later read it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from connectors import registry
from fleet.model.policy import Policy
from reports.notify.registry import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.notify._channel import Channel

_HEAD = """\
# Settings of fleetkeep. Relative paths are relative to this file. Secrets are never written here, only where they
# are: { env = "NAME" }, { file = "/run/secrets/x" }, { command = ["op", "read", "op://…"] },
# { keyring = "service/user" }.

[database]
url = "sqlite:///fleetkeep.db"       # or postgresql+psycopg://user@host/db?sslmode=verify-full
# password = { env = "FLEETKEEP_DB_PASSWORD" }

[report]
directory = "reports-out"
title = "iPad and iPhone backups"
# formats = ["html", "csv", "json", "metrics"]         # also: "ndjson", "parquet", "user-sheets"
# base_url = "https://reports.example.com/backups/"   # makes links in CSV and JSON absolute
# logo = "logo.svg"                  # at most 64 KB; PNG, JPEG, WebP or SVG
# accent = "#0b5cad"                 # of links and bars; has to be readable on white
# footer = "Questions: it@example.com"
# split_by = "site"                  # or "group", "source": a report for each of them as well, in slices/

[policy]                             # every threshold with its default; the unit stands in the name
"""

_PRIVACY = """
[privacy]
# omit = ["user_name", "user_email"] # never stored; name, asset_tag, department and groups likewise
# keep_days = 400                    # each run forgets nights older than that; without it, `db prune` does when told
"""

_RUN = """
[run]
# deadline_minutes = 420             # for all sources together; what came by then is judged and reported
"""

_CATALOG = """
[catalog]
# refresh = true                     # ask Apple's public feeds before a judgement; go on without them
# feeds = ["sofa", "gdmf", "status"]
# sofa_url, gdmf_url, status_url     # of a mirror
# verify = true                      # or the path of a CA bundle
# apple_root = "AppleIncRootCertificate.cer"   # where Apple's page of roots cannot be reached
"""

_SOURCE = """
[[source]]
name = "{name}"
kind = "{kind}"
# site = "HQ"                        # a label for every device of this source
# timeout_seconds = 60               # for one whole request
# deadline_minutes = 60              # for the whole source
# max_body_mb = 64                   # of one answer, after decompression
# max_concurrency, page_size         # the vendor's own limits by default
# verify = true                      # or the path of a CA bundle
# icloud_plan_gb = 5                 # the storage plan assumed for these devices
# enabled = true
{example}"""

_NOTIFY = """
# Who is told of a run; as many as you like. Those that people read also take: when = "changes" (or "problems", or
# "always"), minimum_severity = "medium", and sites = ["HQ"] or sources = ["hq"], to learn of those devices only.
"""

_CHANNEL = """\
# [[notify]]
# name = "{kind}"
# kind = "{kind}"
{example}"""

_TAIL = """
# [[waiver]]                         # accept a problem on some devices until a day
# checks = ["backup-disabled"]       # check ids, or ["*"]
# serials = ["C39X…"]                # or sites / groups / models / sources
# reason = "Kiosk iPads hold no data"
# owner = "it-mobility@example.com"
# expires = 2027-01-31
"""


def settings_text(kinds: Sequence[str]) -> str:
    """A whole settings file with a block for each kind of source."""
    defaults = Policy()
    policy = "".join(f"# {one.name} = {getattr(defaults, one.name)}\n" for one in fields(Policy))
    blocks = "".join(_block(kind, number) for number, kind in enumerate(kinds))
    told = "".join(map(_notification, CHANNELS.values()))
    return _HEAD + policy + _PRIVACY + _RUN + _CATALOG + blocks + _NOTIFY + told + _TAIL


def _block(kind: str, number: int) -> str:
    connector = registry.connector(kind)
    grants = "".join(
        f"# Grant: {one.name}{' (optional)' if one.optional else ''}, for {one.needed_for}. Where: {one.where}\n"
        for one in connector.permissions
    )
    name = kind.replace("_", "-") + (f"-{number + 1}" if number else "")
    return _SOURCE.format(name=name, kind=kind, example=grants + _ended(connector.example))


def _notification(channel: Channel[Any]) -> str:
    example = "".join(f"# {line}\n" for line in channel.example.splitlines())
    return _CHANNEL.format(kind=channel.kind, example=example)


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
