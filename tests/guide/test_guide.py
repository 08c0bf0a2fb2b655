"""The guide: complete, careful, and right for the device at hand."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from fleet import guide
from fleet.apple.catalog import bundled

USERS = {
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
}
ADMINS = {
    "lift-restriction",
    "enforce-update",
    "free-device-storage",
    "replace-hardware",
    "check-in",
    "allow-managed-icloud",
    "allow-apple-hosts",
}
READ_PAGES = re.compile(
    r"101555|108756|HT210596|HT203516|HT207721|mm085db3a8d6|sec2c21e7f49|sec049674014|depd44f045b4"
    r"|depbf9a02986|axm171b3ee95|axm53xk34bq|axma4959dbe1|dep6fa9dd532"
)
GOOD = (files("fleet.guide") / "check-in.toml").read_text("utf-8")


def test_every_fix_that_the_outside_knows_is_there() -> None:
    """The guide holds exactly the published fix ids, each with the audience that acts on it."""
    fixes = guide.load()
    assert set(fixes) == USERS | ADMINS
    assert {name for name, fix in fixes.items() if fix.audience == "admin"} == ADMINS


def test_only_pages_that_were_read_are_linked() -> None:
    """A link in the guide leads to a page that somebody read, and says when."""
    urls = [source.url for fix in guide.load().values() for source in fix.sources if source.url]
    assert urls
    assert all(READ_PAGES.search(url) for url in urls)


def test_no_prices_and_no_markup() -> None:
    """Texts are plain words: no prices that differ by country, no markup."""
    for fix in guide.load().values():
        text = " ".join([fix.title, fix.why, fix.verify, fix.mdm, *(x for v in fix.steps for x in v.lines)])
        assert not re.search(r"[$€£<`*]|USD|EUR", text), fix.id


@pytest.mark.parametrize("fix", ["sign-out-and-in", "reset-settings"])
def test_risky_fixes_say_so(fix: str) -> None:
    """What can cost data says which, and begins with a copy on a computer."""
    entry = guide.load()[fix]
    assert entry.risk >= 2
    assert entry.data_at_risk
    assert all("backup to a computer" in variant.lines[0] for variant in entry.steps)


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("iphone_volup_voldown_hold_side", "Press volume up and let go."),
        ("iphone_hold_voldown_and_side", "Hold volume down and the side button"),
        ("ipad_volnear_volfar_hold_top", "Press the volume button that is nearer"),
        ("ipad_hold_home_and_top", "Hold the Home button and the top button"),
        (None, "With a Home button:"),
        ("something_new", "With a Home button:"),
    ],
)
def test_force_restart_by_model(key: str | None, first: str) -> None:
    """The keys to press are those of the model; without one, both ways are told."""
    assert guide.steps_for(guide.load()["force-restart"], "iPhone", 27, key)[0].startswith(first)


def test_every_model_has_its_keys() -> None:
    """No model of the catalogue falls back to the general key sequence."""
    fix = guide.load()["force-restart"]
    general = list(fix.steps[-1].lines)
    for model in bundled().models.values():
        assert guide.steps_for(fix, model.family, None, model.force_restart) != general


@pytest.mark.parametrize(
    ("fix", "device", "major", "has"),
    [
        ("enable-backup", "iPhone", 27, "Back Up This iPhone"),
        ("enable-backup", "iPad", 18, "Back Up This iPad"),
        ("enable-backup", "Vision", None, "backup of this device"),
        ("power-and-data-modes", "iphone", 26, "Power Mode and turn"),
        ("power-and-data-modes", "iphone", 18, "Settings > Battery and turn"),
        ("power-and-data-modes", "iphone", None, "Settings > Battery and turn"),
        ("reset-settings", "ipad", 27, "Transfer or Reset iPad"),
    ],
)
def test_steps_fit_the_device(fix: str, device: str, major: int | None, has: str) -> None:
    """Menus are called what they are called on this device and system."""
    assert has in " ".join(guide.steps_for(guide.load()[fix], device, major, None))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "check-in"', 'id = "checkin"', "id is not the name"),
        ('audience = "admin"', 'audience = "boss"', "audience"),
        ("risk = 0", "risk = 4", "risk is not"),
        ("risk = 0", "risk = 2", "data is at risk"),
        ("minutes = 15", "minutes = 0", "minutes"),
        ("minutes = 15", "minuets = 15", "minuets"),
        ("[[steps]]", '[[steps]]\ndevices = "ipad"', "fit every device"),
        ("[[steps]]", '[[steps]]\ndevices = "watch"\nlines = ["x"]\n[[steps]]', "devices is not"),
        ("[[steps]]", "[[steps]]\nlines = []\n[[steps]]", "without a line"),
        ("[[steps]]", "[steps", "fleet/guide/check-in.toml"),
        ('why = "', 'why = ""  # "', "must say something"),
    ],
)
def test_a_bad_file_is_named(old: str, new: str, complaint: str) -> None:
    """A mistake in the guide names the file and what is wrong."""
    assert old in GOOD
    with pytest.raises(guide.GuideError, match=complaint) as caught:
        guide.read_fix("check-in.toml", GOOD.replace(old, new, 1))
    assert "fleet/guide/check-in.toml" in str(caught.value)
