"""The guide: complete, careful, and right for the device at hand."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from fleet import guide
from fleet.apple.catalog import bundled
from fleet.guide import Fix, GuideError, read_all
from fleet.guide.fix import Wording
from fleet.guide.reading import read_fix, read_labels, spoken_of
from fleet.model.device import Enrollment, Platform
from fleet.model.device_report import Handling
from fleet.model.fact import ABSENT, NOT_REPORTED
from tests.fleet_of import Value, a_device

USERS = (
    "wifi-and-power",
    "system-status",
    "enable-backup",
    "free-icloud-storage",
    "power-and-data-modes",
    "force-restart",
    "vpn-off",
    "update-system",
    "sign-out-and-in",
    "reset-settings",
    "local-backup",
    "apple-support",
)
ADMINS = {
    "lift-restriction",
    "enforce-update",
    "free-device-storage",
    "replace-hardware",
    "check-in",
    "allow-managed-icloud",
    "allow-apple-hosts",
}
UNSEEN = [
    "wifi-and-power",
    "system-status",
    "free-icloud-storage",
    "power-and-data-modes",
    "force-restart",
    "vpn-off",
    "allow-apple-hosts",
    "sign-out-and-in",
    "reset-settings",
]
READ_PAGES = re.compile(
    r"101555|108756|HT210596|HT203516|HT207721|mm085db3a8d6|sec2c21e7f49|sec049674014|depd44f045b4"
    r"|depbf9a02986|axm171b3ee95|axm53xk34bq|axma4959dbe1|dep6fa9dd532"
)
TEXTS = {
    entry.name.removesuffix(".toml"): entry.read_text("utf-8")
    for entry in files("fleet.guide").iterdir()
    if entry.name.endswith(".toml")
}
LABELS = read_labels("labels.toml", TEXTS.pop("labels"))
GOOD = TEXTS["check-in"]
HANDLINGS = [
    Handling(device_class, major, None)
    for device_class in ("iphone", "ipad", "ipod", "vision", "other")
    for major in (None, 2, 9, 12, 14, 15, 18, 26, 27)
]
every_fix = pytest.mark.parametrize("fix", guide.load().values(), ids=lambda fix: fix.id)


def test_every_fix_that_the_outside_knows_is_there() -> None:
    """The guide holds exactly the published fix ids, each with the audience that acts on it."""
    fixes = guide.load()
    assert set(fixes) == {*USERS, *ADMINS}
    assert {name for name, fix in fixes.items() if fix.audience == "admin"} == ADMINS


def test_the_order_is_that_of_people_and_safe() -> None:
    """Users' fixes stand in the order in which people try them, but for the copy that comes before any risk."""
    tried = [name for name in guide.load() if name in USERS]
    late = ("local-backup", "sign-out-and-in", "reset-settings", "apple-support")
    assert tried == [*(name for name in USERS if name not in late), *late]
    risks = [fix.risk for name, fix in guide.load().items() if name in USERS[:-1]]
    assert max(risks[: tried.index("local-backup")]) < 2


def test_what_nobody_can_see_is_told_in_one_sentence() -> None:
    """The causes that no management system sees are named where their cure is, in the order of trying."""
    assert [name for name, fix in guide.load().items() if fix.unseen] == UNSEEN
    for name in UNSEEN:
        assert re.fullmatch(r"No management system can see .+\.", guide.load()[name].unseen)


@every_fix
def test_a_fix_says_all_that_is_asked_of_it(fix: Fix) -> None:
    """Why, how to see that it worked, what it costs, what management can do, and where that is from."""
    assert fix.why.endswith(".")
    assert fix.verify.endswith(".")
    assert fix.cost.minutes > 0
    assert str(fix.mdm).endswith(".")
    assert fix.sources
    assert all(source.read.year == 2026 for source in fix.sources)


@every_fix
def test_only_pages_that_were_read_are_linked(fix: Fix) -> None:
    """A link in the guide leads to a page of Apple's that somebody read."""
    for source in fix.sources:
        assert source.url is None or (source.evidence == "apple" and READ_PAGES.search(source.url))


@every_fix
def test_no_prices_and_no_markup(fix: Fix) -> None:
    """Texts are plain words: no prices that differ by country, no markup."""
    lines = [line for variant in fix.steps for line in variant.lines]
    text = " ".join([fix.title, fix.why, fix.unseen, fix.verify, fix.cost.data_at_risk, str(fix.mdm), *lines])
    assert not re.search(r"[$€£<`*]|USD|EUR", text)


@pytest.mark.parametrize("fix", ["sign-out-and-in", "reset-settings"])
def test_risky_fixes_say_so(fix: str) -> None:
    """What can cost data says which, and begins with a copy on a computer."""
    entry = guide.load()[fix]
    assert entry.risk >= 2
    assert entry.cost.data_at_risk
    assert all("backup to a computer" in variant.lines[0] for variant in entry.steps)


@pytest.mark.parametrize(
    ("fix", "asks"),
    [
        ("wifi-and-power", ""),
        ("local-backup", "the passcode"),
        ("sign-out-and-in", "the password of the Apple Account and the passcode"),
    ],
)
def test_a_fix_says_which_password_it_takes(fix: str, asks: str) -> None:
    """Who hands the device over has to know which secret will be asked for."""
    assert guide.load()[fix].cost.asks_for == asks


@pytest.mark.parametrize(
    ("fix", "said"),
    [
        ("force-restart", "RestartDevice (supervised): "),
        ("enforce-update", "softwareupdate.enforcement.specific (from system 17): "),
        ("enforce-update", "ScheduleOSUpdate (supervised, removed in system 27): "),
        (
            "update-system",
            "InstallProfile (forceDelayedSoftwareUpdates) (supervised, removed in system 27): ",
        ),
        ("lift-restriction", "InstallProfile (com.apple.applicationaccess): "),
        ("lift-restriction", "Restrictions (GlobalRestrictions): "),
        ("sign-out-and-in", "InstallProfile (allowAccountModification) (supervised): "),
        ("local-backup", "InstallProfile (allowHostPairing) (supervised): "),
        ("power-and-data-modes", "the Settings command has no item for them."),
        ("enable-backup", "No command turns iCloud Backup on."),
        ("wifi-and-power", "No command starts a backup."),
        ("apple-support", "trigger.enhanced.log.collection (from system 27): "),
    ],
)
def test_what_management_can_do_is_named_by_its_command(fix: str, said: str) -> None:
    """Each way has Apple's name, whether it needs supervision, and when it came or went; so has its absence."""
    assert said in str(guide.load()[fix].mdm)


@every_fix
def test_every_device_gets_steps_in_plain_words(fix: Fix) -> None:
    """Whatever the device and its system, there are sentences, and no label stays unfilled."""
    for handling in HANDLINGS:
        lines = guide.steps(fix.id, handling)
        assert lines, handling
        for line in lines:
            assert line.endswith("."), (handling, line)
            assert not re.search(r"[{}]", line), (handling, line)


@pytest.mark.parametrize(
    ("identifier", "first"),
    [
        ("iPhone18,1", "Press volume up and let go."),
        ("iPhone9,1", "Hold volume down and the side button"),
        ("iPhone8,1", "Hold the Home button and the side or top button"),
        ("iPad16,3", "Press the volume button that is nearer"),
        ("iPad12,1", "Hold the Home button and the top button"),
        ("iPod9,1", "Hold volume down and the top button"),
        ("iPod7,1", "Hold the Home button and the top button"),
        ("RealityDevice14,1", "Hold the Digital Crown and the top button"),
        ("iPhone99,9", "With a Home button:"),
        (ABSENT, "With a Home button:"),
    ],
)
def test_force_restart_by_model(identifier: Value, first: str) -> None:
    """The keys to press are those of the model; for an unknown one both ways are told."""
    device = a_device(model_identifier=identifier, model_name=ABSENT)
    lines = guide.steps("force-restart", guide.handling_of(device, bundled()))
    assert lines[0].startswith(first)


def test_every_model_has_its_keys() -> None:
    """No model of the catalogue falls back to the general key sequence."""
    general = guide.steps("force-restart", Handling())
    for model in bundled().models.values():
        handling = guide.handling_of(a_device(model_identifier=model.identifier), bundled())
        assert (
            handling.device_class == {"iPhone": "iphone", "iPad": "ipad", "iPod touch": "ipod"}[model.family]
        )
        assert guide.steps("force-restart", handling) != general


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({}, ("iphone", 27, "iphone_volup_voldown_hold_side")),
        ({"model_identifier": ABSENT}, ("iphone", 27, "iphone_volup_voldown_hold_side")),
        ({"model_identifier": "iPad12,1", "os_version": "18.7.8"}, ("ipad", 18, "ipad_hold_home_and_top")),
        ({"model_identifier": "RealityDevice14,1", "os_version": "2.4"}, ("vision", 2, None)),
        ({"model_identifier": ABSENT, "model_name": "Apple Vision Pro"}, ("vision", 27, None)),
        ({"model_identifier": ABSENT, "model_name": ABSENT}, ("iphone", 27, None)),
        (
            {"model_identifier": ABSENT, "model_name": NOT_REPORTED, "platform": Platform.IPADOS},
            ("ipad", 27, None),
        ),
        (
            {
                "model_identifier": ABSENT,
                "model_name": "MC123LL/A",
                "platform": ABSENT,
                "os_version": "newest",
            },
            ("other", None, None),
        ),
        ({"os_version": "9" * 400}, ("iphone", None, "iphone_volup_voldown_hold_side")),
    ],
)
def test_how_a_device_is_handled(
    signals: dict[str, Value], expected: tuple[str, int | None, str | None]
) -> None:
    """Class, system and keys follow from what is known of the device, and from nothing else."""
    assert guide.handling_of(a_device(**signals), bundled()) == expected


@pytest.mark.parametrize(
    ("fix", "device", "major", "has"),
    [
        ("enable-backup", "iphone", 27, "Turn on Back Up This iPhone."),
        ("enable-backup", "ipad", 18, "Turn on Back Up This iPad."),
        ("enable-backup", "ipad", 15, "Turn on iCloud Backup."),
        ("enable-backup", "vision", 26, "Turn on iCloud Backup."),
        ("enable-backup", "iphone", 9, "Settings > iCloud > Backup"),
        ("power-and-data-modes", "iphone", 26, "Settings > Battery > Power Mode and turn"),
        ("power-and-data-modes", "iphone", 18, "Open Settings > Battery and turn"),
        ("power-and-data-modes", "iphone", 12, "this system has no Low Data Mode"),
        ("power-and-data-modes", "ipad", 27, "With a SIM: "),
        ("power-and-data-modes", "vision", 26, "turn Low Data Mode off"),
        ("free-device-storage", "ipad", 26, "Settings > General > iPad Storage"),
        ("reset-settings", "ipad", 27, "Transfer or Reset iPad > Reset, choose"),
        ("reset-settings", "iphone", 14, "Settings > General > Reset, choose"),
        ("reset-settings", "vision", 26, "near its end"),
        ("vpn-off", "iphone", 26, "VPN & Device Management > VPN"),
        ("vpn-off", "iphone", 14, "Settings > General > VPN,"),
        ("local-backup", "ipad", 26, "connect the iPad"),
        ("wifi-and-power", "vision", 26, "take the device off"),
    ],
)
def test_steps_fit_the_device(fix: str, device: str, major: int | None, has: str) -> None:
    """Menus are called what they are called on this device and system."""
    assert has in " ".join(guide.steps(fix, Handling(device, major)))


@pytest.mark.parametrize(
    ("fix", "signals", "possible"),
    [
        ("enforce-update", {}, True),
        ("enforce-update", {"supervised": False, "enrollment": Enrollment.DEVICE}, True),
        ("enforce-update", {"supervised": True, "enrollment": ABSENT}, True),
        ("enforce-update", {"supervised": ABSENT, "enrollment": ABSENT}, False),
        ("enforce-update", {"supervised": False, "enrollment": NOT_REPORTED}, False),
        ("enforce-update", {"os_version": "17.0"}, True),
        ("enforce-update", {"os_version": "16.7.12"}, False),
        ("enforce-update", {"os_version": ABSENT}, False),
        ("enforce-update", {"model_identifier": "RealityDevice14,1", "os_version": "26.2"}, True),
        ("enforce-update", {"model_identifier": "RealityDevice14,1", "os_version": "2.4"}, False),
        ("local-backup", {}, True),
        ("local-backup", {"model_identifier": "RealityDevice14,1"}, False),
        ("allow-managed-icloud", {"os_version": "16.7.12"}, False),
        ("allow-managed-icloud", {"os_version": "17.0"}, True),
        ("wifi-and-power", {"os_version": ABSENT, "supervised": ABSENT}, True),
    ],
)
def test_which_devices_can_take_a_fix(fix: str, signals: dict[str, Value], *, possible: bool) -> None:
    """A fix that the model, the system or the enrolment does not allow is known as such."""
    device = a_device(**signals)
    handling = guide.handling_of(device, bundled())
    assert (fix in guide.possible(handling, managed=guide.managed(device))) is possible


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "check-in"', 'id = "checkin"', "id: is not the name of the file"),
        ('audience = "admin"', 'audience = "boss"', "audience: must be one of user, admin"),
        ("risk = 0", "risk = 4", "risk: must be between 0 and 3"),
        ("risk = 0", "risk = 2", "cost: a risky fix must say what data is at risk"),
        ("risk = 0", 'risk = "low"', "risk: must be a whole number"),
        ("risk = 0", "risk = true", "risk: must be a whole number"),
        ("minutes = 15", "minutes = 0", "[cost] minutes: must be above 0"),
        ("minutes = 15", "minuets = 15", "[cost] minutes: is missing"),
        ("minutes = 15", "minutes = 15\nhours = 1", "[cost] hours: is no key of this table"),
        ("passwords = []", 'passwords = ["pin"]', "[cost] passwords: must be one of passcode, Apple Account"),
        ("passwords = []", "passwords = [1]", "[cost] passwords: must be a list of texts"),
        ("[[steps]]", '[[steps]]\ndevices = ["ipad"]', "steps: the last ones must fit every device"),
        ("[[steps]]", "[[steps]]\nfrom_major = 9", "steps: the last ones must fit every device"),
        ("[[steps]]", '[[steps]]\ndevices = ["watch"]', "[[steps]] 1 devices: must be one of iphone"),
        ("[[steps]]", "[[steps]]\nlines = []\n[[steps]]", "[[steps]] 1 lines: must not be empty"),
        ("[[steps]]", '[[steps]]\nlines = ["Open {menu}."]\n[[steps]]', "steps: there is no label menu"),
        ("[[steps]]", "[steps", "Expected"),
        ("[[steps]]", "[steps]", "steps: must be a list of tables"),
        ('why = "', 'why = ""  # "', "why: must say something"),
        ('why = "', 'because = "', "why: is missing"),
        ("[[mdm.ways]]", "[[mdm.ways]]\nsupervise = true", "[mdm] [[ways]] 1 supervise: is no key"),
        ("supervised = true", 'supervised = "yes"', "supervised: must be true or false"),
        ("read = 2026-11-22", 'read = "2026-11-22"', "[[sources]] 1 read: must be a date"),
        ("read = 2026-11-22", 'read = 2026-11-22\nurl = "https://support.apple.com/x"', "url: only pages of"),
    ],
)
def test_a_bad_file_is_named(old: str, new: str, complaint: str) -> None:
    """A mistake in the guide names the file, the place and what is wrong, in one line."""
    assert old in GOOD
    with pytest.raises(GuideError, match=re.escape(complaint)) as caught:
        read_fix("check-in.toml", GOOD.replace(old, new, 1), LABELS)
    assert str(caught.value).startswith("fleet/guide/check-in.toml: ")
    assert "\n" not in str(caught.value)


def test_nothing_about_management_must_be_said_to_be_nothing() -> None:
    """A fix that neither names a command nor says that there is none is not finished."""
    start = GOOD.index("note = ")
    rest = GOOD.index("[[sources]]")
    with pytest.raises(GuideError, match="mdm: says neither"):
        read_fix("check-in.toml", GOOD[:start] + 'note = ""\n' + GOOD[rest:], LABELS)
    with pytest.raises(GuideError, match="sources: must name"):
        read_fix("check-in.toml", GOOD[:rest], LABELS)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"check-in": None}, "fleet/guide/check-in.toml: is missing"),
        ({"chekin": GOOD}, "fleet/guide/chekin.toml: is no fix of the guide"),
    ],
)
def test_a_missing_or_surplus_file_is_named(change: dict[str, str | None], complaint: str) -> None:
    """The guide holds the published fixes, no more and no fewer."""
    texts = {name: text for name, text in {**TEXTS, **change}.items() if text is not None}
    with pytest.raises(GuideError, match=re.escape(complaint)):
        read_all(texts, LABELS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[menu]]\nfrom_major = 9\ntext = "x"', "menu: the last wording must fit every device"),
        ("menu = []", "menu: the last wording must fit every device"),
        ('[[menu]]\ntext = ""', "[[menu]] 1 text: must say something"),
        ("menu = 1", "menu: must be a list of tables"),
    ],
)
def test_bad_labels_are_named(text: str, complaint: str) -> None:
    """A label without a wording for every device is an error of the file, not of the device that asks for it."""
    with pytest.raises(GuideError, match=re.escape(f"fleet/guide/labels.toml: {complaint}")):
        read_labels("labels.toml", text)


def test_every_label_is_spoken() -> None:
    """No label is kept that no step uses."""
    lines = [line for fix in guide.load().values() for variant in fix.steps for line in variant.lines]
    assert {label for line in lines for label in spoken_of(line)} == set(LABELS)
    assert all(isinstance(wording, Wording) for wordings in LABELS.values() for wording in wordings)
