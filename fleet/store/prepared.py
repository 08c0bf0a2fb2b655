"""A record as the database's driver takes it: its values without gaps, its gaps, and a digest that tells of change."""

from __future__ import annotations

import json
import marshal
import zlib
from datetime import datetime
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from fleet.model.fact import NEVER, Gap
from fleet.store.tables import FAST, SLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.model.device import DeviceRecord

_slow = attrgetter(*SLOW)
_fast = attrgetter(*FAST)
_NEVER_REASON = "never"


class Prepared(NamedTuple):
    """A record ready to be written.

    Attributes:
        slow: the values of `SLOW` as the driver takes them, None for a gap; `fast` likewise.
        gaps: `signal=reason` of each gap, in the order of the signals.
        digest: 63 bits over the slow values and all gaps.
    """

    record: DeviceRecord
    slow: list[Any]
    fast: list[Any]
    gaps: str
    digest: int


def prepare(record: DeviceRecord, moment: Callable[[datetime], object]) -> Prepared:
    """The record, made ready; `moment` spells times for the driver (`tables.moment_for`)."""
    gaps: list[str] = []
    slow = _bare(SLOW, _slow(record), gaps, moment)
    fast = _bare(FAST, _fast(record), gaps, moment)
    reasons = " ".join(gaps)
    return Prepared(record, slow, fast, reasons, _digest(slow, reasons))


def _bare(
    names: tuple[str, ...], facts: tuple[Any, ...], gaps: list[str], moment: Callable[[datetime], object]
) -> list[Any]:
    """The values as the driver takes them, None for a gap; each gap goes to `gaps` as `signal=reason`."""
    values = list(facts)
    for place in _not_plain(tuple(map(type, facts))):
        fact = facts[place]
        if type(fact) is datetime:
            values[place] = moment(fact)
        elif type(fact) is Gap:
            gaps.append(f"{names[place]}={fact.reason}")
            values[place] = None
        elif fact is NEVER:
            gaps.append(f"{names[place]}={_NEVER_REASON}")
            values[place] = None
        else:
            values[place] = fact.value if isinstance(fact, Enum) else _listed(fact)
    return values


_PLAIN = frozenset({str, int, bool})


@lru_cache(maxsize=4096)  # a fleet's records differ in what they say, hardly in what they leave out
def _not_plain(kinds: tuple[type[object], ...]) -> tuple[int, ...]:
    """The places of the values that the driver does not take as they are."""
    return tuple(place for place, kind in enumerate(kinds) if kind not in _PLAIN)


_listed = lru_cache(maxsize=4096)(json.dumps)  # devices of one kind are in the same groups


def _digest(slow: list[Any], reasons: str) -> int:
    """63 bits over content; marshal's version 2 writes equal values equally and costs a tenth of repr."""
    plain = [int(value.timestamp()) if type(value) is datetime else value for value in slow]
    data = marshal.dumps((plain, reasons), 2)
    return (zlib.crc32(data) << 31) ^ zlib.adler32(data)
