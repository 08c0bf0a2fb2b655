"""Every connector against answers that no honest server gives: any value in any place, pages that repeat, lying totals.

Each starts from its vendor's sample and damages what comes back. No damage may leave as a traceback, and a broken
record may not cost another device of its page.
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors import _rows, registry
from connectors.file import CONNECTOR as FILE
from connectors.nanomdm import CONNECTOR as NANOMDM
from fleet.errors import SourceError
from fleet.model.device import SIGNALS
from tests.connectors.fields import assert_storable
from tests.connectors.walking import Clock, Night, walked
from tests.contracts.test_connectors import sample_of
from tests.examples import examples
from tests.servers.nanomdm import life, native_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors._connector import Connector

ROWS: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "jamf_pro": ("/api/v2/mobile-devices/detail", ("results",)),
    "jamf_school": ("/api/devices", ("devices",)),
    "intune": ("/beta/deviceManagement/managedDevices", ("value",)),
    "workspace_one": ("/API/mdm/devices/search", ("Devices",)),
    "meraki": ("/sm/devices", ()),
    "iru": ("/api/v1/devices", ()),
    "mosyle": ("/devices", ("response", 0, "devices")),
    "simplemdm": ("/api/v1/devices", ("data",)),
    "addigy": ("/api/v2/devices", ("items",)),
    "fleet": ("/api/v1/fleet/hosts", ("hosts",)),
    "manageengine": ("/api/v1/mdm/devices", ("devices",)),
    "hexnode": ("/api/v1/devices/", ("results",)),
    "apple_business": ("/v1/mdmDevices", ("data",)),
    "zentral": ("/api/mdm/devices/", ("results",)),
}
"""The end of the path of each kind's list of devices, and where its rows stand in an answer."""

DEEP = "[" * 5000 + "]" * 5000
HOSTILE = (
    *("null", "true", "false", "0", "-1", "1", "0.5", "NaN", "-Infinity", "1e999", "9" * 4000, "-9223372036854775809"),
    *('""', '" "', '"\\u0000"', '"\\ud800"', '"0"', '"-1"', '"nan"', '"null"', '"' + "x" * 3000 + '"', '"\\u202eevil"'),
    *('"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59-14:00"', '"0000-00-00 00:00:00"', '"2026-13-45"', '"12:00"'),
    *("[]", "{}", "[null]", "[[7]]", '{"id": 7}', '[{"id": null}]', '{"value": [1]}', '"<plist>"', '"AAAA"', DEEP),
)  # fmt: skip
"""JSON texts that a reader may stumble over."""

MARK = "@@here@@"


@dataclass(frozen=True)
class Sent:
    """One answer of an honest walk, and the request that it answers."""

    request: tuple[str, str, bytes]
    path: str
    body: bytes

    @property
    def value(self) -> Any:  # noqa: ANN401 - any JSON value
        return json.loads(self.body)


class Twisted(httpx.BaseTransport):
    """The answers of another transport, each as `twist` leaves its body."""

    def __init__(self, honest: httpx.BaseTransport, twist: Callable[[Sent], bytes]) -> None:
        self._honest = honest
        self._twist = twist
        self.sent: list[Sent] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._honest.handle_request(request)
        except (ValueError, LookupError):
            # The made-up server is asked for something that it never told of.
            return httpx.Response(404)
        sent = Sent((request.method, str(request.url), request.content), request.url.path, answer.content)
        self.sent.append(sent)
        headers = {name: text for name, text in answer.headers.items() if name.lower() != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, content=self._twist(sent))


@dataclass
class World:
    """A kind's sample, to be walked with a twist, one request at a time."""

    kind: str
    folder: Path

    def walk(self, twist: Callable[[Sent], bytes]) -> tuple[Night, SourceError | None, list[Sent]]:
        """What came, the error that ended it, and what was asked."""
        connector: Connector[Any] = registry.connector(self.kind)
        sample = sample_of(self.kind, self.folder)
        assert sample.transport is not None
        twisted = Twisted(sample.transport, twist)
        keys = {"name": "x", "kind": self.kind, "max_concurrency": 1, "page_size": 10}
        settings = connector.settings.model_validate({**keys, **sample.values})
        night, failure = Night(), None
        try:
            walked(connector, settings, twisted, clock=Clock(), into=night)
        except SourceError as error:
            failure = error
        for record in night.devices.values():
            assert_storable(record)
        return night, failure, twisted.sent

    def walk_with(self, place: Sent, body: bytes) -> tuple[Night, SourceError | None, list[Sent]]:
        """The same where one request is answered by `body`, however often it is sent."""
        return self.walk(lambda sent: body if sent.request == place.request else sent.body)


@cache
def honest(kind: str, folder: Path) -> tuple[Night, list[Sent]]:
    """An undisturbed walk of a kind's sample."""
    night, failure, sent = World(kind, folder).walk(lambda sent: sent.body)
    assert failure is None
    return night, sent


def rows_in(kind: str, sent: Sent) -> list[Any] | None:
    """The rows of an answer, if it is a page of the kind's list of devices."""
    ending, path = ROWS[kind]
    if not sent.path.endswith(ending):
        return None
    with suppress(KeyError, ValueError):
        value = sent.value
        for step in path:
            value = value[step]
        return value
    return None


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value within `value`, its own included."""
    yield path
    for key, one in (_rows.mapping(value) or {}).items():
        yield from places(one, (*path, key))
    for place, one in enumerate(_rows.rows(cast("object", value)) if isinstance(value, list) else ()):
        yield from places(one, (*path, place))


def put(value: Any, path: tuple[str | int, ...], text: str) -> bytes:  # noqa: ANN401 - any JSON value
    """`value` as JSON, with `text` in place of what stands at `path`."""
    if not path:
        return text.encode()
    *before, last = path
    place = value
    for step in before:
        place = place[step]
    place[last] = MARK
    return json.dumps(value).replace(f'"{MARK}"', text).encode()


few = hypothesis_settings(
    max_examples=examples(15),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.mark.parametrize("kind", ROWS)
@few
@given(data=st.data())
def test_a_broken_record_costs_no_other(kind: str, folder: Path, data: st.DataObject) -> None:
    """Whatever stands in any place of one row, every other device of its page comes, and nothing is a traceback."""
    night, sent = honest(kind, folder)
    pages = [one for one in sent if rows_in(kind, one)]
    page = data.draw(st.sampled_from(pages))
    row = data.draw(st.integers(0, len(rows_in(kind, page) or []) - 1))
    inside = data.draw(st.sampled_from(list(places((rows_in(kind, page) or [])[row]))))
    body = put(page.value, (*ROWS[kind][1], row, *inside), data.draw(st.sampled_from(HOSTILE)))
    found, failure, _ = World(kind, folder).walk_with(page, body)
    others = ids_on(kind, page, night) - {id_of(kind, page, row, night)}
    assert others <= set(found.devices), failure
    assert failure is not None or len(night.devices) - len(found.devices) <= 1


def ids_on(kind: str, sent: Sent, night: Night) -> set[str]:
    """The ids of the devices whose rows stand on that page."""
    rows = rows_in(kind, sent) or []
    return {found for row in range(len(rows)) if (found := id_of(kind, sent, row, night))}


def id_of(kind: str, sent: Sent, row: int, night: Night) -> str | None:
    """The id of the device in that row: the first known id among the row's own values."""
    values = (rows_in(kind, sent) or [])[row]
    for key in ("id", "mobileDeviceId", "UDID", "Uuid", "device_id", "deviceudid", "agentid"):
        if key in values and str(values[key]) in night.devices:
            return str(values[key])
        if key in values and str(values[key]).lower() in night.devices:
            return str(values[key]).lower()
    return None


@pytest.mark.parametrize("kind", ROWS)
@few
@given(data=st.data())
def test_any_value_anywhere(kind: str, folder: Path, data: st.DataObject) -> None:
    """Whatever stands in any place of any answer, the walk ends in pages or in one of our errors."""
    place = data.draw(st.sampled_from(honest(kind, folder)[1]))
    text = data.draw(st.sampled_from(HOSTILE))
    body = text.encode()
    with suppress(ValueError):
        body = put(place.value, data.draw(st.sampled_from(list(places(place.value)))), text)
    found, failure, _ = World(kind, folder).walk_with(place, body)
    if failure is None and rows_in(kind, place) is None:
        told = set(found.devices) | {row.native_id for row in found.rejected}
        assert told >= set(honest(kind, folder)[0].devices), "devices vanished without a word"


TOTALS: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "jamf_pro": ("/api/v2/mobile-devices/detail", ("totalCount",)),
    "jamf_school": ("/api/devices", ("count",)),
    "workspace_one": ("/API/mdm/devices/search", ("Total",)),
    "mosyle": ("/devices", ("response", 0, "rows")),
    "addigy": ("/api/v2/devices", ("metadata", "total")),
    "fleet": ("/api/v1/fleet/hosts/count", ("count",)),
    "manageengine": ("/api/v1/mdm/devices", ("metadata", "total_record_count")),
    "hexnode": ("/api/v1/devices/", ("count",)),
    "apple_business": ("/v1/mdmDevices", ("meta", "paging", "total")),
    "zentral": ("/api/mdm/devices/", ("count",)),
}
"""Where each kind states how many devices it has."""


@pytest.mark.parametrize("total", ["0", "1", "-1", "null", '"many"', "NaN", "1e6", "100000", "[7]"])
@pytest.mark.parametrize("kind", TOTALS)
def test_a_lying_total_hides_no_device(kind: str, folder: Path, total: str) -> None:
    """Every device comes whatever the list says to have; one that says more than it gives is not taken for whole."""
    ending, path = TOTALS[kind]

    def twist(sent: Sent) -> bytes:
        with suppress(ValueError, KeyError, TypeError):
            return put(sent.value, path, total) if sent.path.endswith(ending) else sent.body
        return sent.body

    found, failure, sent = World(kind, folder).walk(twist)
    assert failure is None
    assert set(found.devices) == set(honest(kind, folder)[0].devices)
    assert len(sent) < 3 * len(honest(kind, folder)[1])
    if total == "100000":
        assert found.expected == 100_000


@pytest.mark.parametrize("kind", ROWS)
def test_a_page_that_repeats_is_no_whole_fleet(kind: str, folder: Path) -> None:
    """A server that gives its first page for ever is told after a few requests, and its devices are not all."""
    night, sent = honest(kind, folder)
    first = next(one for one in sent if len(rows_in(kind, one) or []) > 1)

    def twist(answer: Sent) -> bytes:
        return first.body if rows_in(kind, answer) is not None else answer.body

    found, failure, asked = World(kind, folder).walk(twist)
    assert len(asked) < 2 * len(sent)
    if set(found.devices) != set(night.devices):
        assert failure is not None or (found.expected or 0) > len(found.devices)


@pytest.mark.parametrize("kind", ROWS)
def test_no_answer_leads_elsewhere(kind: str, folder: Path) -> None:
    """Wherever an answer names a host, no request goes to another, and no credential with it."""
    hosts = {httpx.URL(one.request[1]).host for one in honest(kind, folder)[1]}

    def twist(sent: Sent) -> bytes:
        return re.sub(rb"https?://[a-z0-9.-]+", b"https://evil.example", sent.body)

    _, failure, asked = World(kind, folder).walk(twist)
    assert {httpx.URL(one.request[1]).host for one in asked} <= hosts
    links = b"".join(one.body for one in honest(kind, folder)[1] if rows_in(kind, one))
    if any(f"https://{host}".encode() in links for host in hosts):
        assert failure is None or "evil.example" in str(failure)


@pytest.mark.parametrize(
    "body",
    ["null", "7", '"x"', "true", "NaN", '{"error": "no"}', "[[]]", "<html>", "{", '"' + "x" * 500, DEEP],
)
@pytest.mark.parametrize("kind", ROWS)
def test_an_answer_of_another_kind_is_no_empty_fleet(kind: str, folder: Path, body: str) -> None:
    """What comes in place of the list of devices is an error, or a row; it never makes a fleet without devices."""
    found, failure, _ = World(kind, folder).walk(
        lambda sent: body.encode() if sent.path.endswith(ROWS[kind][0]) else sent.body
    )
    assert failure is not None or found.rejected
    assert "\n" not in str(failure)


ODD_PLISTS = (
    *("<integer>1e9</integer>", "<integer>" + "9" * 5000 + "</integer>", "<real>nan</real>", "<real>-inf</real>"),
    *("<date>0000-00-00T00:00:00Z</date>", "<date>9999-12-31T23:59:59Z</date>", "<date>soon</date>", "<data>!</data>"),
    *("<string>\x00</string>", "<string>&evil;</string>", "<true/>", "<dict/>", "<array/>", "<key>x</key>", "", "<"),
    *("<array>" * 3000 + "</array>" * 3000, "<dict><key>k</key><array><true/></array></dict>"),
)  # fmt: skip
"""What a property list may hold in place of a value."""
LEAF = re.compile(r"<(string|integer|real|date|true|false|array|dict)\b[^<]*")


@few
@given(data=st.data())
def test_a_broken_delivery_costs_no_other_device(folder: Path, data: st.DataObject) -> None:
    """Whatever stands in any place of a webhook delivery, or of the property list in it, every device comes."""
    devices, deliveries = 4, folder / "deliveries"
    deliveries.mkdir(exist_ok=True)
    events = [event for number in range(devices) for event in life(number)]
    broken = data.draw(st.sampled_from(events))
    told = broken.get("acknowledge_event") or broken["checkin_event"]
    text = data.draw(st.sampled_from(HOSTILE))
    if data.draw(st.booleans()):
        plist = base64.b64decode(told["raw_payload"]).decode()
        leaf = data.draw(st.sampled_from([*LEAF.finditer(plist)]))
        plist = plist[: leaf.start()] + data.draw(st.sampled_from(ODD_PLISTS)) + plist[leaf.end() :]
        text = json.dumps(told | {"raw_payload": base64.b64encode(plist.encode()).decode()})
        inside: tuple[str | int, ...] = (
            "acknowledge_event" if "acknowledge_event" in broken else "checkin_event",
        )
    else:
        inside = data.draw(st.sampled_from(list(places(broken))))
    (deliveries / "sound.json").write_text(json.dumps([event for event in events if event is not broken]))
    (deliveries / "broken.json").write_bytes(put(json.loads(json.dumps(broken)), inside, text))
    keys = {"name": "x", "kind": "nanomdm", "events": str(deliveries)}
    found = walked(NANOMDM, NANOMDM.settings.model_validate(keys))
    assert {native_id(number) for number in range(devices)} <= set(found.devices)
    for record in found.devices.values():
        assert_storable(record)


@few
@given(data=st.data())
def test_a_broken_object_of_a_file_costs_no_other(folder: Path, data: st.DataObject) -> None:
    """Whatever stands in any place of one object of an exported array, all other devices come."""
    columns = {signal: f"about.{signal}" for signal in SIGNALS}
    whole = [{"about": dict.fromkeys(SIGNALS, "1") | {"udid": f"00008110-{row:016X}"}} for row in range(5)]
    row = data.draw(st.integers(0, 4))
    inside = data.draw(st.sampled_from(list(places(whole[row]))))
    (folder / "export.json").write_bytes(put(whole, (row, *inside), data.draw(st.sampled_from(HOSTILE))))
    keys = {"name": "x", "kind": "file", "path": str(folder / "export.json"), "columns": columns}
    found = walked(FILE, FILE.settings.model_validate(keys))
    assert {f"00008110-{other:016X}" for other in range(5) if other != row} <= set(found.devices)
    for record in found.devices.values():
        assert_storable(record)
