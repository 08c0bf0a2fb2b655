"""Intune: the walk over Graph's pages and batches, what its policies prove, and every rule of a field."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import ValidationError

from connectors._intune_record import detailed, read_record
from connectors._profile import RESTRICTIONS
from connectors.intune import CONNECTOR, IntuneSettings
from fleet.errors import BadAnswer, PermissionMissing, SecretUnavailable, Throttled
from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Fact, Gap
from tests.connectors.walking import NOW, Clock, Night, assert_refused, probed, walked
from tests.servers import intune as vendor
from tests.servers.intune import Intune, Record, device, device_id, own_answer
from tests.servers.mobileconfig import NO_BACKUP, ON_DEMAND, mobileconfig

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.loopback import Asked, Reply


def settings(**keys: object) -> IntuneSettings:
    values = {"name": "hq", "kind": "intune", "tenant_id": vendor.TENANT, "client_id": "app-1"}
    credential = {} if "certificate" in keys else {"client_secret": vendor.SECRET}
    return IntuneSettings.model_validate({**values, **credential, **keys})


def night(server: Intune, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), server.transport)


# The walk


def test_a_whole_night_over_a_socket() -> None:
    """Every page, every batch and every policy arrives over HTTP, and nothing is amiss."""
    with Intune(templates=[vendor.blocking()], page_cap=7) as server:
        found = walked(CONNECTOR, settings(url=server.url, login_url=server.url))
    assert set(found.devices) == {device_id(number) for number in range(1, 31)}
    assert not found.rejected
    assert not found.troubles


def test_the_list_is_asked_for_phones_and_tablets() -> None:
    """A filter is always sent, and the next page is asked for exactly as Graph names it."""
    server = Intune()
    night(server, detail=False, page_size=5000)
    asked = [one for one in server.asked if one.path.endswith("/managedDevices")]
    assert {one.first("$filter") for one in asked} == {
        "(operatingSystem eq 'iOS' or operatingSystem eq 'iPadOS')"
    }
    assert {one.first("$top") for one in asked} == {"1000"}
    assert [one.first("$skiptoken") for one in asked] == ["", "10", "20"]


@pytest.mark.parametrize(
    ("keys", "requests"),
    [
        # token, two policy lists, one page of 1000, fifty batches, the overview
        ({}, 1 + 2 + 1 + 50 + 1),
        ({"profiles": False}, 1 + 1 + 50 + 1),
        ({"profiles": False, "detail": False}, 1 + 1 + 1),
    ],
)
@pytest.mark.no_cover
def test_what_a_thousand_devices_cost(keys: dict[str, bool], requests: int) -> None:
    """Details cost fifty requests per thousand devices, the list one, and both can be spared."""
    server = Intune(devices=[device(number) for number in range(1, 1001)], page_cap=1000)
    night(server, **keys)
    assert len(server.asked) == requests


def test_the_devices_of_a_batch_stay_within_the_limit() -> None:
    """Each device of a batch counts: 2000 in any 20 seconds, by a clock that only sleeping moves."""
    clock, spent = Clock(), list[float]()
    server = Intune(devices=[device(number) for number in range(1, 3001)], page_cap=1000)

    def counting(_native_id: str, _time: int) -> int:
        spent.append(clock.now())
        return 200

    server.item_status = counting
    walked(CONNECTOR, settings(max_concurrency=1), server.transport, clock=clock)
    busiest = max(sum(start <= moment < start + 20 for moment in spent) for start in spent[::50])
    assert len(spent) == 3000
    assert busiest <= 2000


def test_details_are_read_only_of_phones_and_tablets() -> None:
    """A Mac or a PC that came all the same is told by its platform and costs no request of its own."""
    others = [
        device(40, operatingSystem="macOS", deviceType="macMDM", osVersion="26.1 (25B78)"),
        device(41, operatingSystem="Windows", deviceType="windows10x"),
    ]
    server = Intune(devices=[device(1), *others])
    found = night(server)
    assert [found[device_id(number)].platform for number in (1, 40, 41)] == [
        Platform.IOS,
        Platform.MACOS,
        Platform.OTHER,
    ]
    assert found[device_id(40)].os_version == "26.1"
    assert found[device_id(40)].udid is ABSENT
    batch = next(one for one in server.asked if one.path == vendor.BATCH)
    assert len(json.loads(batch.body)["requests"]) == 1


def test_an_ignored_filter_is_told() -> None:
    """Graph ignores filters that it does not support; the report says when other systems came."""
    found = night(Intune(devices=[device(1), device(41, operatingSystem="Windows", deviceType="desktop")]))
    assert found.codes == ["filter_ignored"]
    assert found.troubles[0].count == 1


@pytest.mark.parametrize(("overview", "codes"), [(30, []), (12, []), (35, ["list_short"])])
def test_a_list_shorter_than_the_overview_is_told(overview: int, codes: list[str]) -> None:
    """Intune's own count is compared with the list, and only a shortfall is worth a word."""
    found = night(Intune(overview=overview))
    assert found.codes == codes
    assert [trouble.count for trouble in found.troubles] == [5] * len(codes)


def test_without_the_overview_the_list_stands() -> None:
    """The overview only checks the list; a tenant that does not give it loses nothing."""
    server = Intune()
    inner = server.route
    missing = vendor.reply({"error": {"code": "ResourceNotFound"}}, 404)
    server.route = lambda asked: missing if asked.path == vendor.OVERVIEW else inner(asked)
    found = night(server)
    assert len(found.devices) == 30
    assert not found.troubles


def test_a_device_enrolled_anew_comes_with_both_records() -> None:
    """Leftovers of an earlier enrolment stay apart by their id, so that the newest can count."""
    leftover = device(90, serialNumber="FK00000001M", enrolledDateTime="2024-01-01T00:00:00Z")
    found = night(Intune(devices=[device(1), leftover]))
    assert found[device_id(1)].serial == found[device_id(90)].serial
    assert found[device_id(1)].enrolled_at != found[device_id(90)].enrolled_at


def test_a_next_page_elsewhere_is_refused() -> None:
    """A link to another host is not followed, and no token is sent there."""
    server = Intune(
        page_hook=lambda page: json.dumps(page | {"@odata.nextLink": "https://evil.example/x"}).encode()
    )
    with pytest.raises(BadAnswer, match=r"graph\.microsoft\.com points to evil\.example"):
        night(server)


def test_a_list_in_a_circle_ends() -> None:
    """A next page that came before ends the walk with an error."""
    link = "https://graph.microsoft.com/beta/deviceManagement/managedDevices?$skiptoken=10"
    server = Intune(page_hook=lambda page: json.dumps(page | {"@odata.nextLink": link}).encode())
    with pytest.raises(BadAnswer, match="circle"):
        night(server)
    assert len(server.asked) < 20


@pytest.mark.parametrize(
    "body", [b'{"error":{"code":"x"}}', b"[]", b"{", b'{"value":[],"@odata.nextLink":7}']
)
def test_an_error_that_arrives_as_success_is_no_empty_fleet(body: bytes) -> None:
    """An answer without rows is asked for once more and is then an error."""
    server = Intune(page_hook=lambda _: body)
    with pytest.raises(BadAnswer, match="cannot be read"):
        night(server, profiles=False)
    assert server.count(vendor.LIST) == 2


def test_a_row_without_an_id_is_rejected() -> None:
    """It is counted with its place and nothing of its content."""
    found = night(Intune(devices=[device(1), device(2, id=None), device(3)]))
    assert found.rejected == [Rejected("row 2", "no usable id")]
    assert set(found.devices) == {device_id(1), device_id(3)}


# Details


def test_nested_values_of_the_list_are_not_believed() -> None:
    """A list says that no iPad is shared and every battery is empty; only a device's own answer counts."""
    row = device(2, hardwareInformation={"isSharedDevice": False, "batteryLevelPercentage": 0.0})
    record = night(Intune(devices=[row]))[device_id(2)]
    assert (record.shared_ipad, record.battery_percent) == (True, 22)
    assert record.udid == "00008120-0000000000000002"
    assert record.model_identifier == "iPad13,18"


def test_without_detail_the_list_keeps_to_v1() -> None:
    """What beta alone tells is not reported, and beta is not asked."""
    server = Intune()
    chosen = settings(detail=False, profiles=False)
    record = walked(CONNECTOR, chosen, server.transport)[device_id(2)]
    spared = ("udid", "model_identifier", "battery_percent", "shared_ipad", "lost_mode")
    assert {getattr(record, signal) for signal in spared} == {NOT_REPORTED}
    assert not CONNECTOR.reported(chosen) & set(spared)
    assert not any("/beta/" in one.path for one in server.asked)


@pytest.mark.parametrize(
    ("headers", "pause"), [({"Retry-After": "2.128"}, 2.128), ({}, 1.0), ({"Retry-After": "x"}, 1.0)]
)
def test_throttled_devices_of_a_batch_are_asked_for_again(headers: dict[str, str], pause: float) -> None:
    """A batch succeeds while its items are throttled: those alone come again, after the pause they name."""
    busy = device_id(5)
    server = Intune(
        item_status=lambda native_id, time: 429 if native_id == busy and time == 1 else 200,
        item_headers=headers,
    )
    found = walked(CONNECTOR, settings(), server.transport)
    assert found[device_id(5)].udid == own_answer(device(5))["udid"]
    assert pause in found.waits
    assert not found.troubles
    batches = [one for one in server.asked if one.path == vendor.BATCH]
    assert sum(len(json.loads(one.body)["requests"]) for one in batches) == 31


@pytest.mark.parametrize("status", [429, 503, 403, 400])
def test_a_device_that_gives_no_details_keeps_what_the_list_says(status: int) -> None:
    """Its own signals are absent, the report counts it, and the others are whole."""
    server = Intune(item_status=lambda native_id, _: status if native_id == device_id(5) else 200)
    found = night(server)
    assert (found[device_id(5)].udid, found[device_id(5)].shared_ipad, found[device_id(5)].serial) == (
        ABSENT,
        ABSENT,
        "FK00000005M",
    )
    assert not isinstance(found[device_id(6)].udid, Gap)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_unread", 1)]


def test_a_device_that_left_meanwhile_is_no_trouble() -> None:
    """A device gone between the list and its details is simply without them."""
    server = Intune(item_status=lambda native_id, _: 404 if native_id == device_id(5) else 200)
    found = night(server)
    assert found[device_id(5)].udid is ABSENT
    assert not found.troubles


def test_a_tenant_without_batches_is_read_all_the_same() -> None:
    """Where the batch endpoint is missing the list stands, and it is tried once, not for every page."""
    server = Intune()
    inner = server.route
    missing = vendor.reply({"error": {"code": "ResourceNotFound"}}, 404)
    server.route = lambda asked: missing if asked.path == vendor.BATCH else inner(asked)
    found = night(server, max_concurrency=1)
    assert len(found.devices) == 30
    assert server.count(vendor.BATCH) == 1
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_unread", 30)]


# Policies


def judged(signal: str, number: int = 1, **tenant: Any) -> Fact[bool]:  # noqa: ANN401 - any server switch
    """What a tenant with these policies proves of one supervised device."""
    return getattr(night(Intune(devices=[device(1), device(4)], **tenant))[device_id(number)], signal)


POLICY = vendor.blocking()["id"]
VPN = vendor.tunnel()["id"]


@pytest.mark.parametrize(
    ("status", "restricted"),
    [
        ("compliant", True),
        ("remediated", True),
        ("notApplicable", False),
        ("notAssigned", False),
        ("nonCompliant", ABSENT),
        ("error", ABSENT),
        ("conflict", ABSENT),
        ("unknown", ABSENT),
        (None, ABSENT),
    ],
)
def test_a_ban_counts_where_it_is_in_force(status: Any, restricted: object) -> None:  # noqa: ANN401 - any JSON value
    """A device is restricted where the policy reports success, free where it does not apply, else unproven."""
    statuses = {POLICY: [(device_id(1), status)]}
    assert judged("backup_restricted", templates=[vendor.blocking()], statuses=statuses) == restricted


def test_a_ban_does_nothing_to_an_unsupervised_device() -> None:
    """Since iOS 13 the ban needs supervision: a policy's success there proves nothing."""
    statuses = {POLICY: [(device_id(4), "compliant")]}
    assert judged("backup_restricted", 4, templates=[vendor.blocking()], statuses=statuses) is ABSENT


@pytest.mark.parametrize(
    "template",
    [
        vendor.blocking(iCloudBlockBackup=False),
        vendor.blocking(iCloudBlockBackup=False, iCloudRequireEncryptedBackup=True),
        vendor.blocking(assignments=[]),
        {**vendor.blocking(), "@odata.type": "#microsoft.graph.windows10GeneralConfiguration"},
        vendor.custom(mobileconfig(RESTRICTIONS, "<key>allowCloudBackup</key><true/>")),
    ],
)
def test_templates_that_forbid_nothing(template: Record) -> None:
    """Every policy was read and none forbids backups: that is known, and costs no status list."""
    server = Intune(devices=[device(1)], templates=[template])
    assert night(server)[device_id(1)].backup_restricted is False
    assert not [one for one in server.asked if one.path.endswith("/deviceStatuses")]


def test_a_custom_profile_may_forbid_it_too() -> None:
    """The ban is found inside a custom profile, signed or not."""
    custom = vendor.custom(b"\x30\x82signed" + NO_BACKUP + b"\x00rest")
    statuses = {custom["id"]: [(device_id(1), "compliant")]}
    assert judged("backup_restricted", templates=[custom], statuses=statuses) is True


@pytest.mark.parametrize(
    "template",
    [
        vendor.blocking(iCloudBlockBackup=None),
        vendor.blocking(iCloudBlockBackup="yes"),
        vendor.blocking(id=None),
        vendor.custom(b"no profile"),
        {**vendor.custom(b"x"), "payload": "no base64!"},
        {**vendor.custom(b"x"), "payload": None},
    ],
)
def test_a_template_that_cannot_be_read_proves_nothing(template: Record) -> None:
    """It may forbid backups, so no device is called free."""
    assert judged("backup_restricted", templates=[template]) is ABSENT


@pytest.mark.parametrize(
    ("template", "vpn"),
    [
        (vendor.tunnel(), True),
        (vendor.tunnel(onDemandRules=[{"action": "evaluateConnection"}]), True),
        (vendor.tunnel(onDemandRules=[{"action": "disconnect"}, {"action": "ignore"}]), False),
        (vendor.tunnel(onDemandRules=None), False),
        (vendor.tunnel(onDemandRules=None, connectionType="alwaysOn"), True),
        (vendor.tunnel(onDemandRules=None, enableAlwaysOnConfiguration=True), True),
        (vendor.tunnel(onDemandRules="x"), ABSENT),
        (
            {key: value for key, value in vendor.tunnel().items() if key != "onDemandRules"},
            ABSENT,
        ),
        (vendor.custom(ON_DEMAND, policy=2), True),
        (vendor.custom(NO_BACKUP, policy=2), False),
        (vendor.custom(b"no profile", policy=2), ABSENT),
    ],
)
def test_a_vpn_counts_where_it_connects_by_itself(template: Record, vpn: object) -> None:
    """On demand and always on count, a VPN that its user starts does not."""
    statuses = {VPN: [(device_id(1), "compliant")]}
    assert judged("vpn_configured", templates=[template], statuses=statuses) == vpn


BAN = "com.apple.applicationaccess_allowcloudbackup"


@pytest.mark.parametrize(
    ("policy", "restricted", "vpn", "codes"),
    [
        (vendor.catalog_policy(BAN, f"{BAN}_true"), False, False, []),
        (vendor.catalog_policy(BAN, f"{BAN}_false"), ABSENT, False, ["catalog_unproven"]),
        (vendor.catalog_policy(BAN, f"{BAN}_false", assignments=[]), False, False, []),
        (vendor.catalog_policy("com.apple.vpn.managed_vpntype", "x"), False, ABSENT, ["catalog_unproven"]),
        (vendor.catalog_policy("other", "other_false"), False, False, []),
        (vendor.catalog_policy(BAN, "x", settings=None), ABSENT, ABSENT, []),
        (vendor.catalog_policy("other", "x", **{"settings@odata.nextLink": "more"}), ABSENT, ABSENT, []),
    ],
)
def test_the_settings_catalog_proves_nothing_of_a_device(
    policy: Record, restricted: object, vpn: object, codes: list[str]
) -> None:
    """A catalog policy that forbids backups leaves devices unproven and is told; one that does not is no matter."""
    found = night(Intune(devices=[device(1)], catalog=[policy]))
    assert (found[device_id(1)].backup_restricted, found[device_id(1)].vpn_configured) == (restricted, vpn)
    assert found.codes == codes


def test_status_lists_are_walked_to_their_end() -> None:
    """One request per page of statuses for each policy that matters."""
    statuses = {POLICY: [(device_id(number), "compliant") for number in range(1, 31)]}
    server = Intune(templates=[vendor.blocking()], statuses=statuses)
    found = night(server)
    assert found[device_id(29)].backup_restricted is True
    assert server.count(f"{vendor.TEMPLATES}/{POLICY}/deviceStatuses") == 3


def test_without_profiles_no_policy_is_read() -> None:
    """The setting spares the requests and the permission."""
    server = Intune(granted={vendor.READ_DEVICES})
    chosen = settings(profiles=False)
    record = walked(CONNECTOR, chosen, server.transport)[device_id(1)]
    assert (record.backup_restricted, record.vpn_configured) == (NOT_REPORTED, NOT_REPORTED)
    assert not CONNECTOR.reported(chosen) & {"backup_restricted", "vpn_configured"}
    assert [step for step, _ in probed(CONNECTOR, chosen, server.transport)] == ["login", vendor.READ_DEVICES]


# Login, permissions, limits


def test_a_wrong_secret_ends_the_source() -> None:
    """One clear line names the login host, and neither the secret nor the vendor's words are in it."""
    told = r"login\.microsoftonline\.com/.*refused the credential \(401\)"
    assert_refused(CONNECTOR, settings(client_secret="wrong"), Intune(), match=told, secret="wrong")


def test_a_token_that_is_none() -> None:
    """An answer of the login host without a token is no login."""
    server = Intune()

    def tokenless(asked: Asked) -> Reply:
        return vendor.reply({"expires_in": 3599})

    server.route = tokenless
    with pytest.raises(BadAnswer, match=r"login\.microsoftonline\.com"):
        night(server)


def test_the_token_is_asked_for_the_tenants_own_cloud() -> None:
    """The scope is the Graph host that is configured, and the login host never sees the token."""
    server = Intune()
    night(server, url="https://graph.microsoft.us", login_url="https://login.microsoftonline.us")
    form = server.asked[0].form
    assert form["scope"] == "https://graph.microsoft.us/.default"
    assert {one.headers["host"] for one in server.asked if "authorization" in one.headers} == {
        "graph.microsoft.us"
    }


def test_a_missing_permission_is_named() -> None:
    """Without the permission for devices the source fails and says which to grant."""
    with pytest.raises(PermissionMissing, match=r'grant "DeviceManagementManagedDevices\.Read\.All"'):
        night(Intune(granted={vendor.READ_POLICIES}))


def test_a_missing_permission_for_policies_costs_their_signals_alone() -> None:
    """Every device is read, both signals are absent, and the report names the permission."""
    found = night(Intune(granted={vendor.READ_DEVICES}))
    assert len(found.devices) == 30
    assert {record.backup_restricted for record in found.devices.values()} == {ABSENT}
    assert found.codes == ["policies_unread"]
    assert 'grant "DeviceManagementConfiguration.Read.All"' in found.troubles[0].message


def test_throttling_is_waited_out() -> None:
    """Two refusals, of which one names a pause, cost that pause and nothing else."""
    server = Intune(throttled=2, retry_after="3", devices=[device(1)])
    found = walked(CONNECTOR, settings(profiles=False, detail=False), server.transport)
    assert len(found.devices) == 1
    assert 3.0 in found.waits


def test_throttling_without_end_is_one_line() -> None:
    """A tenant that never lets us in is told as such."""
    with pytest.raises(Throttled, match=r"keeps asking for fewer requests \(429\)"):
        night(Intune(throttled=10**6), profiles=False)


def test_probe_proves_each_permission() -> None:
    """The doctor learns of the login and of both permissions by Microsoft's names."""
    steps = probed(CONNECTOR, settings(), Intune(granted={vendor.READ_DEVICES}).transport)
    assert [step for step, _ in steps] == ["login", vendor.READ_DEVICES, vendor.READ_POLICIES]
    assert [error is None for _, error in steps] == [True, True, False]
    assert vendor.READ_POLICIES in str(steps[2][1])


def test_probe_stops_at_a_refused_login() -> None:
    """Without a login nothing else is tried."""
    steps = probed(CONNECTOR, settings(client_secret="wrong"), Intune().transport)
    assert [step for step, error in steps if error] == ["login"] == [step for step, _ in steps]


@pytest.mark.parametrize(
    "keys",
    [
        {"client_secret": None},
        {"certificate": "x.pem", "client_secret": "s"},
        {"tenant_id": "a/b"},
        {"tenant_id": ""},
        {"url": "http://graph.microsoft.com"},
        {"login_url": "ftp://login"},
    ],
)
def test_settings_that_cannot_work(keys: dict[str, str | None]) -> None:
    """One credential, a tenant that fits a path, and safe addresses are needed."""
    with pytest.raises(ValidationError):
        settings(**keys)


@pytest.fixture(scope="module")
def key_pair() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key with its self-signed certificate, and both as one PEM file."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fleetkeep.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=9))
    certificate = builder.sign(key, SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key, private + certificate.public_bytes(serialization.Encoding.PEM)


def test_a_certificate_signs_in(tmp_path: Path, key_pair: tuple[rsa.RSAPrivateKey, bytes]) -> None:
    """A signed assertion takes the secret's place: for this audience, by the login host's clock, for minutes."""
    key, pem = key_pair
    (tmp_path / "app.pem").write_bytes(pem)
    server = Intune(date="Sat, 21 Nov 2026 23:00:00 GMT", devices=[device(1)])
    assert len(night(server, certificate=tmp_path / "app.pem", profiles=False).devices) == 1
    form = next(one.form for one in server.asked if one.path == vendor.TOKEN)
    said, _, signature = form["client_assertion"].rpartition(".")
    head, claims = (json.loads(unpadded(part)) for part in said.split("."))
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    key.public_key().verify(unpadded(signature), said.encode(), pss, SHA256())
    assert (head["alg"], head["typ"]) == ("PS256", "JWT")
    assert unpadded(head["x5t#S256"]) == x509.load_pem_x509_certificate(pem).fingerprint(SHA256())
    assert claims["aud"] == f"https://login.microsoftonline.com{vendor.TOKEN}"
    assert (claims["iss"], claims["sub"]) == ("app-1", "app-1")
    assert claims["nbf"] == datetime(2026, 11, 21, 23, tzinfo=UTC).timestamp()
    assert claims["exp"] - claims["nbf"] == 300
    assert "client_secret" not in form


def unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize(
    "content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"]
)
def test_a_certificate_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    """A missing or incomplete PEM file is this source's failure, in one line that says what it must hold."""
    if content is not None:
        (tmp_path / "app.pem").write_bytes(content)
    with pytest.raises(
        SecretUnavailable, match="source hq: certificate names no readable PEM file with an RSA"
    ):
        night(Intune(), certificate=tmp_path / "app.pem", profiles=False)


# Fields


def reading(**changes: Any) -> DeviceRecord:  # noqa: ANN401 - any JSON value
    """A usual iPhone's row with changes, as a record."""
    record = read_record(device(1, **changes), "row 1", beta=True)
    assert isinstance(record, DeviceRecord)
    return record


TEXTS = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE)]
TIMES = [
    ("2026-11-20T03:12:44Z", datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)),
    ("2026-11-20T03:12:44.8206923Z", datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)),
    ("0001-01-01T00:00:00Z", ABSENT),
    (None, ABSENT),
    (1771557164, UNREADABLE),
]
FIELD_RULES = [
    *[("serialNumber", "serial", *rule) for rule in TEXTS],
    *[("deviceName", "name", *rule) for rule in TEXTS],
    *[("model", "model_name", *rule) for rule in TEXTS],
    *[("osVersion", "os_version", *rule) for rule in TEXTS],
    ("osVersion", "os_version", "11.2.1 (20D74)", "11.2.1"),
    *[("lastSyncDateTime", "checkin_at", *rule) for rule in TIMES],
    *[("enrolledDateTime", "enrolled_at", *rule) for rule in TIMES],
    ("isSupervised", "supervised", True, True),
    ("isSupervised", "supervised", False, False),
    ("isSupervised", "supervised", "true", UNREADABLE),
    ("managementState", "managed", "managed", True),
    ("managementState", "managed", "retireFailed", True),
    ("managementState", "managed", "retireIssued", False),
    ("managementState", "managed", "wipePending", False),
    ("managementState", "managed", "discovered", False),
    ("managementState", "managed", "unknownFutureValue", ABSENT),
    ("managementState", "managed", "somethingNew", UNREADABLE),
    ("managedDeviceOwnerType", "ownership", "company", Ownership.ORGANISATION),
    ("managedDeviceOwnerType", "ownership", "personal", Ownership.PERSONAL),
    ("managedDeviceOwnerType", "ownership", "unknown", ABSENT),
    ("deviceEnrollmentType", "enrollment", "appleBulkWithUser", Enrollment.AUTOMATED),
    ("deviceEnrollmentType", "enrollment", "appleBulkWithoutUser", Enrollment.AUTOMATED),
    ("deviceEnrollmentType", "enrollment", "userEnrollment", Enrollment.DEVICE),
    ("deviceEnrollmentType", "enrollment", "appleUserEnrollment", Enrollment.USER),
    ("deviceEnrollmentType", "enrollment", "appleUserEnrollmentWithServiceAccount", Enrollment.USER),
    ("deviceEnrollmentType", "enrollment", "appleAccountDrivenUserEnrollment", Enrollment.USER),
    ("deviceEnrollmentType", "enrollment", "unknownFutureValue", ABSENT),
    ("deviceEnrollmentType", "enrollment", "somethingNew", UNREADABLE),
    ("lostModeState", "lost_mode", "enabled", True),
    ("lostModeState", "lost_mode", "disabled", False),
    ("lostModeState", "lost_mode", None, ABSENT),
    ("userDisplayName", "user_name", "Ada L.", "Ada L."),
    ("userDisplayName", "user_name", "", "person1@corp.example"),
    ("emailAddress", "user_email", "a@corp.example;b@corp.example", "a@corp.example"),
    ("emailAddress", "user_email", "a@corp.example, b@corp.example", "a@corp.example"),
    ("emailAddress", "user_email", "", ABSENT),
]


@pytest.mark.parametrize(("key", "signal", "value", "fact"), FIELD_RULES)
def test_one_field_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each property becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{key: value}), signal) == fact


@pytest.mark.parametrize(
    ("total", "free", "facts"),
    [
        (64 * 2**30, 14393 * 2**20, (64_000_000_000, 14_055_664_062)),
        (128 * 2**30, 0, (128_000_000_000, ABSENT)),
        (0, 0, (ABSENT, ABSENT)),
        (0, 5, (ABSENT, ABSENT)),
        (None, 5, (ABSENT, ABSENT)),
        ("64", 2**30, (UNREADABLE, 1_000_000_000)),
        (64 * 2**30, -1, (64_000_000_000, UNREADABLE)),
    ],
)
def test_storage_is_decimal_bytes(total: object, free: object, facts: tuple[object, object]) -> None:
    """Intune's 64 times 2**30 is a device of 64 GB, and its zeros are defaults: neither full nor empty."""
    record = reading(totalStorageSpaceInBytes=total, freeStorageSpaceInBytes=free)
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("kind", "system", "model", "platform"),
    [
        ("iPhone", "iOS", "iPhone 15", Platform.IOS),
        ("iPad", "iOS", "iPad Air", Platform.IPADOS),
        (None, "iOS", "iPad Pro (10.5-inch)", Platform.IPADOS),
        (None, "iPadOS", "", Platform.IPADOS),
        (None, "iOS", "", Platform.IOS),
        ("unknown", "iOS", "iPod touch", Platform.IOS),
        ("visionOS", "visionOS", "Apple Vision Pro", Platform.VISIONOS),
        ("tvOS", "tvOS", "", Platform.TVOS),
        ("macMDM", "macOS", "MacBook Pro", Platform.MACOS),
        ("androidEnterprise", "Android", "", Platform.ANDROID),
        ("desktop", "Windows", "", Platform.OTHER),
        (None, "HarmonyOS", "", UNREADABLE),
        (None, None, "iPad", Platform.IPADOS),
    ],
)
def test_platform(kind: object, system: object, model: str, platform: object) -> None:
    """By the device type where beta names one, else by the system, and an iPad that says iOS by its model."""
    assert reading(deviceType=kind, operatingSystem=system, model=model).platform == platform


def test_a_model_identifier_tells_an_ipad() -> None:
    """Where list and model leave it at iOS, the device's own answer decides."""
    record = reading(deviceType=None, operatingSystem="iOS", model="")
    assert detailed(record, own_answer(device(2))).platform is Platform.IPADOS


def test_a_device_that_never_synchronised_says_nothing_of_supervision() -> None:
    """False is the default of a device from which nothing was heard."""
    record = reading(isSupervised=False, **vendor.NEVER_SYNCED)
    assert (record.supervised, record.checkin_at, record.enrolled_at) == (ABSENT, ABSENT, ABSENT)


@pytest.mark.parametrize("kind", ["appleUserEnrollment", "appleAccountDrivenUserEnrollment"])
def test_user_enrolment_hides_what_apple_hides(kind: str) -> None:
    """Serial number and UDID of a personal device are not permitted, not missing."""
    row = device(1, deviceEnrollmentType=kind, serialNumber="")
    record = detailed(reading(**row), {"id": row["id"], "udid": None, "hardwareInformation": None})
    assert (record.serial, record.udid, record.shared_ipad) == (NOT_PERMITTED, NOT_PERMITTED, ABSENT)


@pytest.mark.parametrize(
    ("hardware", "facts"),
    [
        (
            {"productName": "iPad8,12", "batteryLevelPercentage": 82.0, "isSharedDevice": True},
            ("iPad8,12", 82, True),
        ),
        ({"productName": None, "batteryLevelPercentage": None, "isSharedDevice": None}, (ABSENT,) * 3),
        ({"productName": 8, "batteryLevelPercentage": "82", "isSharedDevice": 1}, (UNREADABLE,) * 3),
        ("x", (UNREADABLE,) * 3),
        (None, (ABSENT,) * 3),
    ],
)
def test_details(hardware: object, facts: tuple[object, ...]) -> None:
    """What only a device's own answer tells, and what it may lack."""
    record = detailed(reading(), {"udid": "u", "hardwareInformation": hardware})
    assert (record.model_identifier, record.battery_percent, record.shared_ipad) == facts


# Increments


def test_an_increment_brings_what_has_synchronised_since() -> None:
    """The list is narrowed by the last synchronisation, page after page; the overview gives the number of all."""
    server = Intune(page_cap=4)
    since = datetime(2026, 11, 15, 12, tzinfo=UTC)
    found = walked(CONNECTOR, settings(), server.transport, since=since)
    assert set(found.devices) == {device_id(n) for n in range(1, 31) if 10 + n % 11 > 15}
    assert found.expected == 30
    assert "list_short" not in found.codes
    lists = [one.first("$filter") for one in server.asked if one.path.endswith("/managedDevices")]
    assert len(lists) > 1
    narrowed = "(operatingSystem eq 'iOS' or operatingSystem eq 'iPadOS') and lastSyncDateTime gt 2026-11-15T12:00:00Z"
    assert set(lists) == {narrowed}


def test_only_an_increment_is_measured_by_the_overview() -> None:
    """It may lag, so a full walk states no number; an increment has nothing else, and a lagging one reads in full."""
    server = Intune()
    assert night(server).expected is None
    assert walked(CONNECTOR, settings(), server.transport, since=NOW - timedelta(days=90)).expected == 30
