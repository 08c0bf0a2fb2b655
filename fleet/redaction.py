"""Redaction: a report that can be shown to strangers, with keyed tokens where people and devices were named.

Whatever somebody typed into the device management is replaced: serial numbers, UDIDs, asset tags, names of devices and
people, mail addresses, departments, sites and groups (both are often named after a class or a person). What Apple or
this program says stays: models, systems, dates, sizes, checks. One value has one token wherever one key is used, so two
redacted reports can be compared; without the key no token leads back, not even for somebody who has a list of all the
serial numbers. That is why a device's own key and the ids of its findings, which anybody could calculate from its
serial number, are replaced as well.

It is done on the devices that all formats are written from. Text that a check composed is searched for the device's
own values in case it repeats one. What tells of no device but of the whole run is either of a closed vocabulary, or
replaced whole.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

from fleet.model.device import Device, DeviceRecord
from fleet.model.fact import Gap
from fleet.model.identity import identity
from fleet.model.waiver import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.device import Signals
    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Evidence
    from fleet.model.run import Incident, RunReport, SourceReport
    from fleet.model.waiver import Waiver, WaiverUse

TYPED_BY_PEOPLE = {
    "serial": "serial",
    "udid": "udid",
    "name": "device",
    "asset_tag": "asset",
    "user_name": "user",
    "user_email": "mail",
    "department": "department",
    "site": "site",
    "groups": "group",
}
"""The signals that are replaced, each with the word that its tokens begin with."""

NOTE = (
    "Redacted: serial numbers, names, mail addresses, departments, sites and groups are replaced by tokens, the same "
    "ones in every redacted report from this database. Dates and sizes are real: who knows the fleet may still "
    "recognise a device by them."
)
UNSAID = "what happened in detail is told by the report that is not redacted"

_REMEMBERED = 4096
_DIGITS = 12  # of five bits each: among a million values, two share a token once in two million times
_IDENTIFIERS = frozenset(
    {
        *(
            "problem",
            "check",
            "ticket_check",
            "fix",
            "fixes",
            "cause",
            "audience",
            "reason",
            "beyond_catalog",
        ),
        *("source", "sources"),  # as the settings name them
    }
)
"""Fields with words of ours, or of the settings; every other text is searched."""
_KEYED = frozenset({"key", "external_id"})


class Redactor:
    """Replaces people and devices by tokens.

    Args:
        key: the secret that ties tokens to values; 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._digest = lru_cache(_REMEMBERED)(self._digested)  # a device says each value several times

    def token(self, word: str, value: str) -> str:
        """What stands for a value: the same for the same value, whichever source says it in whichever spelling."""
        digest = self._digest(word, _normal(word, value))
        return f"{word}-{b32encode(digest)[:_DIGITS].decode().lower()}"

    def fingerprint(self, fingerprint: str) -> str:
        """What stands for a device's key or a finding's id, in the same form: 32 hex digits."""
        return self._digest("fingerprint", fingerprint).hex()[:32]

    def device(self, report: DeviceReport) -> DeviceReport:
        """Everything that the reports say of one device, without saying whose it is."""
        device = report.device
        records = [device, *(one.record for one in (*device.sightings, *device.superseded))]
        words = {value: token for record in records for value, token in self._replaced(record)}
        redacted: DeviceReport = self._walked(report, _Scrub(words))
        return redacted

    def run(self, run: RunReport) -> RunReport:
        """A run's head without people, devices and places."""
        words = {value: token for use in run.waivers for value, token in self._of_waiver(use.waiver)}
        scrub = _Scrub(words)
        return replace(
            run,
            base_url=None,
            sources=tuple(map(_silent, run.sources)),
            incidents=tuple(map(self._incident, run.incidents)),
            waivers=tuple(map(self._waiver, run.waivers)),
            notes=(NOTE, *map(scrub, run.notes)),
        )

    def _digested(self, word: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{word}\x1f{value}".encode("utf-8", "surrogatepass"), "sha256")

    def _replaced(self, record: Signals) -> Iterator[tuple[str, str]]:
        """Each value that somebody typed, with its token."""
        for signal, word in TYPED_BY_PEOPLE.items():
            fact: Any = getattr(record, signal)
            if not isinstance(fact, Gap):
                for value in _each(fact):
                    yield value, self.token(word, value)
        if isinstance(record, DeviceRecord):
            yield record.native_id, self.token("record", record.native_id)

    def _walked(self, value: Any, scrub: _Scrub) -> Any:  # noqa: ANN401 - anything that a report may consist of
        kind = cast("type[object]", type(value))
        if kind is str:
            return scrub(value)
        if kind is tuple:
            return tuple(self._walked(one, scrub) for one in value)
        if kind is list:
            return [self._walked(one, scrub) for one in value]
        if isinstance(value, Mapping):
            plain = cast("Mapping[str, Any]", value)
            return {name: self._walked(one, scrub) for name, one in plain.items()}
        if is_dataclass(value) and not isinstance(value, (type, Gap)):
            return self._walked_fields(value, scrub)
        return value

    def _walked_fields(self, value: Any, scrub: _Scrub) -> Any:  # noqa: ANN401 - any dataclass
        of_device = isinstance(value, (Device, DeviceRecord))
        changes: dict[str, Any] = {}
        for name in _names(cast("type[object]", type(value))):
            fact: Any = getattr(value, name)
            if type(fact) in _SAYS_NOTHING:
                continue
            if of_device and name in TYPED_BY_PEOPLE:
                changes[name] = self._fact(TYPED_BY_PEOPLE[name], fact)
            elif name in _KEYED:
                changes[name] = self.fingerprint(fact)
            elif name == "native_id":
                changes[name] = self.token("record", fact)
            elif name not in _IDENTIFIERS:
                changes[name] = self._walked(fact, scrub)
        return replace(value, **changes) if changes else value

    def _fact(self, word: str, fact: Any) -> Any:  # noqa: ANN401 - a fact of text, or of several
        if isinstance(fact, Gap):
            return fact
        tokens = tuple(self.token(word, value) for value in _each(fact))
        return tokens if isinstance(fact, tuple) else tokens[0]

    def _incident(self, incident: Incident) -> Incident:
        """What a fleet-wide finding names of what people typed is the site or the group that its devices share."""
        words = dict(self._of_incident(incident.finding.evidence))
        finding = incident.finding
        evidence = {name: _exchanged(value, words) for name, value in finding.evidence.items()}
        if evidence.get("factor") in _PLACES:
            evidence["value"] = self.token(str(evidence["factor"]), str(finding.evidence["value"]))
        told = replace(finding, evidence=evidence, summary=_exchanged(finding.summary, words))
        external_id = self.fingerprint(finding.external_id)
        problem = finding.problem.partition(":")[0]  # the rest can be calculated from the site's name
        return replace(
            incident,
            summary=_exchanged(incident.summary, words),
            finding=replace(told, external_id=external_id, problem=problem),
        )

    def _of_incident(self, evidence: Evidence) -> Iterator[tuple[str, str]]:
        """The phrases in which a site or a group is named, each with the one in its place."""
        shared = evidence.get("shared")
        phrases = [*shared] if isinstance(shared, list) else []
        phrases.append(f"{evidence.get('factor')} {evidence.get('value')}")
        for phrase in sorted(phrases, key=len, reverse=True):
            kind, _, value = phrase.partition(" ")
            if kind in _PLACES:
                yield phrase, f"{kind} {self.token(kind, value)}"

    def _of_waiver(self, waiver: Waiver) -> Iterator[tuple[str, str]]:
        for scope in SCOPES:
            if scope[:-1] in _TYPED_SCOPES:
                for value in getattr(waiver, scope):
                    yield value, self.token(scope[:-1], value)
        yield waiver.owner, self.token("owner", waiver.owner)
        yield waiver.reason, "redacted"

    def _waiver(self, use: WaiverUse) -> WaiverUse:
        waiver = use.waiver
        changes: dict[str, Any] = {
            f"{kind}s": tuple(self.token(kind, value) for value in getattr(waiver, f"{kind}s"))
            for kind in _TYPED_SCOPES
        }
        owner = self.token("owner", waiver.owner)
        return replace(use, waiver=replace(waiver, **changes, owner=owner, reason="redacted"))


_PLACES = ("site", "group")
_SAYS_NOTHING = frozenset({bool, int, float, datetime, type(None), Gap})
_TYPED_SCOPES = ("serial", "site", "group")


def _normal(word: str, value: str) -> str:
    if word in {"serial", "udid"}:
        return identity(value) or value
    return value.casefold() if word == "mail" else value


def _each(fact: str | tuple[str, ...]) -> tuple[str, ...]:
    return fact if isinstance(fact, tuple) else (fact,)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _silent(source: SourceReport) -> SourceReport:
    """A source whose problems are counted and not quoted: what a vendor's answer was cannot be known beforehand."""
    return replace(source, problems=tuple(replace(one, message=UNSAID) for one in source.problems))


def _exchanged(value: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - a value of evidence
    if isinstance(value, list):
        return [_exchanged(one, words) for one in cast("list[Any]", value)]
    if isinstance(value, str):
        for before, after in words.items():
            value = value.replace(before, after)
    return value


class _Scrub:
    """Searches texts for values, and puts their tokens in place of them."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._tokens = {value.casefold(): token for value, token in words.items() if tells(value)}

    def __call__(self, text: str) -> str:
        """The text without the values; in any case of letters."""
        if not self._found(text):
            return text
        pattern = "|".join(map(_whole, sorted(self._tokens, key=len, reverse=True)))
        said = re.sub(
            pattern,
            lambda hit: self._tokens.get(hit.group().casefold(), "redacted"),
            text,
            flags=re.IGNORECASE,
        )
        # Letters that change their number with their case escape the search; such a text is not worth the risk.
        return "redacted" if any(len(value) >= _SHORT for value in self._found(said)) else said

    def _found(self, text: str) -> list[str]:
        folded = text.casefold()
        return [value for value in self._tokens if value in folded]


_SHORT = 4
_SHORT_NUMBER = 5
_PRODUCT = re.compile(
    r"\W*(?:apple\W+)?(?:ipad|iphone|ipod|watch|vision|tv)"
    r"(?:\W|\d+(?:st|nd|rd|th)?(?!\w)|(?:pro|air|mini|plus|max|se|e|touch|generation|gen|inch|wi|fi|cellular)(?!\w))*",
    re.IGNORECASE,
)
"""An "iPad (9th generation)": the name of a device that nobody named names nobody."""


def tells(value: str) -> bool:
    """False for what stands in many a text by chance, and tells of nobody there."""
    if value.isdigit() and len(value) < _SHORT_NUMBER:
        return False
    return bool(value.strip()) and not _PRODUCT.fullmatch(value)


def _whole(value: str) -> str:
    """A short one has to stand by itself."""
    return re.escape(value) if len(value) >= _SHORT else rf"(?<!\w){re.escape(value)}(?!\w)"
