"""The contract of connectors as tests: for ours, and for whoever writes one in a package of their own.

    from connectors.contract import ConnectorContract, Sample

    class TestAcme(ConnectorContract):
        connector = acme.CONNECTOR

        def sample(self, folder):
            return Sample({"url": "https://acme.example", "api_key": "made up"}, acme_pages())

The sample is a source whose pages show everything that the kind can report, at least once. `pytest` finds the tests
in the class as if they stood there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from connectors._connector import Connector, Surroundings
from fleet.model.device import SIGNALS, TIME_SIGNALS, DeviceRecord
from fleet.model.fact import NEVER, NOT_REPORTED, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import httpx

COLLECTED_AT = datetime(2026, 11, 22, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """A source of one kind, without `name` and `kind` in its settings; secrets are plain text here.

    Attributes:
        transport: answers in place of the network; None for a kind that needs none.
    """

    values: Mapping[str, Any]
    transport: httpx.BaseTransport | None = None


class ConnectorContract:
    """Tests that every connector passes; subclass it, and say which connector and what sample."""

    connector: ClassVar[Connector[Any]]

    def sample(self, folder: Path) -> Sample:
        """A source that shows everything; `folder` is empty and may be written to."""
        raise NotImplementedError

    def _read(self, folder: Path) -> tuple[frozenset[str], list[DeviceRecord]]:
        sample = self.sample(folder)
        settings = self.connector.settings.model_validate(
            {"name": "sample", "kind": self.connector.kind, **sample.values}
        )
        around = Surroundings(
            collected_at=COLLECTED_AT, now=lambda: 0.0, sleep=lambda _: None, transport=sample.transport
        )
        rows = [row for page in self.connector.walk(settings, around) for row in page.rows]
        return self.connector.reported(settings), [row for row in rows if isinstance(row, DeviceRecord)]

    def test_it_keeps_its_word(self, tmp_path: Path) -> None:
        """The signals that never come are exactly those not promised, and each promised one is known once."""
        promised, records = self._read(tmp_path)
        silent = {name for name in SIGNALS if all(getattr(one, name) == NOT_REPORTED for one in records)}
        known = {name for name in SIGNALS if any(not isinstance(getattr(one, name), Gap) for one in records)}
        assert silent == set(SIGNALS) - promised
        assert known == promised
        assert promised <= self.connector.provides

    def test_every_record_accounts_for_every_promised_signal(self, tmp_path: Path) -> None:
        """A promised signal that a record lacks says why; it is never `not_reported` on one device alone."""
        promised, records = self._read(tmp_path)
        for record in records:
            assert not [name for name in promised if getattr(record, name) == NOT_REPORTED]

    def test_native_ids_tell_records_apart(self, tmp_path: Path) -> None:
        """One record, one id, short enough to be stored."""
        _, records = self._read(tmp_path)
        ids = {record.native_id for record in records}
        assert ids
        assert len(ids) == len(records)
        assert all(0 < len(native_id) <= 255 for native_id in ids)  # noqa: PLR2004 - the column's width

    def test_times_are_in_utc_and_whole_seconds(self, tmp_path: Path) -> None:
        """What is stored is what was read."""
        _, records = self._read(tmp_path)
        for record in records:
            for name in TIME_SIGNALS:
                moment = getattr(record, name)
                if not isinstance(moment, Gap) and moment is not NEVER:
                    assert moment.utcoffset() is not None
                    assert not moment.utcoffset()
                    assert not moment.microsecond

    def test_it_introduces_itself(self) -> None:
        """Whoever chooses a connector learns what it is, how it was confirmed, and how to set it up."""
        connector = self.connector
        assert connector.title
        assert connector.confirmed
        assert connector.example
        assert connector.remarks.keys() <= set(SIGNALS)
        assert connector.per_device <= connector.provides <= set(SIGNALS)
        assert connector.fields.keys() <= connector.provides
