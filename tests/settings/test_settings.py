"""The settings file: where it is found, what it means, and what is said about one that is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import pytest
from pydantic import AfterValidator, SecretStr, ValidationError, model_validator

from connectors._connector import SourceSettings
from connectors._network import origin_url
from fleet.errors import SecretUnavailable, SettingsError, StoreError
from fleet.model.device import Device, DeviceRecord, Sighting, Standing
from fleet.model.policy import Policy
from fleet.model.waiver import Waiver
from fleet.secrets import Command, File, SecretRef, Variable, resolve
from fleet.settings import Catalog, Settings, find, load

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY = "canary-4711-do-not-print"
CHECKS = ("backup-disabled", "backup-stale", "storage-full")
FORMATS = ("html", "csv", "json", "metrics")


class Cloud(SourceSettings):
    """A made-up MDM with a login."""

    url: Annotated[str, AfterValidator(origin_url)]
    token_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    certificate: Path | None = None

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if not (self.client_secret or self.password or self.certificate):
            raise ValueError("needs client_id and client_secret, or username and password")
        return self


class Sheet(SourceSettings):
    """A made-up export."""

    path: str
    columns: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    edition: int = 1


class Keyed(SourceSettings):
    """A made-up MDM that cannot do without its key."""

    api_key: SecretStr
    url: str = "https://keyed.example"


KINDS: Mapping[str, type[SourceSettings]] = {"cloud": Cloud, "sheet": Sheet, "keyed": Keyed}


def read(folder: Path, text: str) -> Settings[SourceSettings]:
    """The settings that `text` makes in `folder`."""
    path = folder / "fleetkeep.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, KINDS, known_checks=CHECKS, known_formats=FORMATS)


def refusal(folder: Path, text: str) -> list[str]:
    """The lines of the error that `text` leads to."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return str(caught.value).splitlines()


CLOUD = """
[[source]]
name = "hq"
kind = "cloud"
url = "https://hq.example"
client_secret = { env = "HQ_SECRET" }
"""

WHOLE = """
[database]
url = "postgresql+psycopg://fleet@db.example:5432/fleet?sslmode=require"
password = { file = "db.txt" }
[report]
directory = "out/reports"
title = "Contoso"
formats = ["csv", "html", "csv"]
base_url = "https://reports.example/backups"
[policy]
backup_warn_days = 3
storage_warn_percent_free = 12
icloud_plan_gb = 50
[[source]]
name = "hq"
kind = "cloud"
url = "https://hq.example"
client_id = "f1d0"
client_secret = { env = "HQ_SECRET" }
certificate = "certs/hq.pem"
verify = "certs/ca.pem"
site = "HQ"
[[source]]
name = "branch"
kind = "sheet"
enabled = false
path = "exports/*.csv"
columns = { serial = "Serial Number" }
[catalog]
refresh = false
feeds = ["gdmf"]
gdmf_url = "https://mirror.example/pmv"
verify = "ca.pem"
apple_root = "/etc/apple.cer"
[[waiver]]
checks = ["backup-disabled"]
serials = ["C39X1"]
reason = "Kiosk iPads hold no data"
owner = "it@contoso.example"
expires = 2027-01-31
"""


def test_a_whole_file_means_what_it_says(tmp_path: Path) -> None:
    """Every table arrives typed, with the paths in it relative to the file."""
    settings = read(tmp_path, WHOLE)
    assert settings.database.url == "postgresql+psycopg://fleet@db.example:5432/fleet?sslmode=require"
    assert (settings.database.path, settings.database.password) == (None, File(Path("db.txt")))
    assert settings.report.directory == tmp_path / "out" / "reports"
    assert (settings.report.title, settings.report.formats) == ("Contoso", ("csv", "html"))
    assert settings.report.base_url == "https://reports.example/backups/"
    assert settings.policy == Policy(backup_warn_days=3, storage_warn_percent_free=12.0, icloud_plan_gb=50)
    assert settings.catalog == Catalog(
        refresh=False,
        feeds=("gdmf",),
        gdmf_url="https://mirror.example/pmv",
        verify=tmp_path / "ca.pem",
        apple_root=Path("/etc/apple.cer"),
    )
    assert settings.base == tmp_path
    assert settings.waivers == (
        Waiver(
            checks=("backup-disabled",),
            serials=("C39X1",),
            reason="Kiosk iPads hold no data",
            owner="it@contoso.example",
            expires=date(2027, 1, 31),
        ),
    )


def test_sources_arrive_with_their_paths_made_absolute(tmp_path: Path) -> None:
    """Paths of a source are relative to the settings file; a disabled source is only flagged."""
    hq, branch = read(tmp_path, WHOLE).sources
    assert (hq.name, hq.kind, hq.enabled, hq.secrets) == (
        "hq",
        "cloud",
        True,
        {"client_secret": Variable("HQ_SECRET")},
    )
    assert isinstance(hq.settings, Cloud)
    assert (hq.settings.certificate, hq.settings.verify) == (
        tmp_path / "certs/hq.pem",
        tmp_path / "certs/ca.pem",
    )
    assert isinstance(branch.settings, Sheet)
    assert (branch.name, branch.enabled, branch.settings.path) == (
        "branch",
        False,
        str(tmp_path / "exports/*.csv"),
    )


def test_an_empty_file_has_the_documented_defaults(tmp_path: Path) -> None:
    """Nothing has to be written down; whether a source is needed is the command's business."""
    settings = read(tmp_path, "")
    assert settings.database.path == tmp_path / "fleetkeep.db"
    assert settings.report.directory == tmp_path / "reports-out"
    assert settings.report.formats == FORMATS
    assert settings.report.base_url is None
    assert (settings.policy, settings.sources, settings.waivers) == (Policy(), (), ())
    assert settings.catalog == Catalog(refresh=True, feeds=("sofa", "gdmf", "status"))


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///data/f.db", "data/f.db"), ("sqlite:////var/lib/f.db", "/var/lib/f.db")],
)
def test_a_sqlite_file_is_relative_to_the_settings(tmp_path: Path, url: str, path: str) -> None:
    """Three slashes are relative to the settings file, four are absolute."""
    database = read(tmp_path, f'[database]\nurl = "{url}"').database
    assert database.path == tmp_path / path
    assert database.url == f"sqlite:///{tmp_path / path}"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_from_windows_is_read(tmp_path: Path, mark: str) -> None:
    """Line ends and the byte order mark of Windows editors do no harm."""
    path = tmp_path / "fleetkeep.toml"
    path.write_bytes((mark + CLOUD.replace("\n", "\r\n")).encode())
    assert load(path, KINDS, known_checks=CHECKS, known_formats=FORMATS).sources[0].name == "hq"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.9.9.9/api",
        "http://[::1]:9",
        "https://mdm.example:8443",
    ],
)
def test_an_unencrypted_address_is_for_this_computer(tmp_path: Path, url: str) -> None:
    """Loopback hosts may be asked without TLS, and https is always fine."""
    assert read(tmp_path, CLOUD.replace("https://hq.example", url)).sources[0].name == "hq"


def source(rest: str, *, name: str = "hq", kind: str = "cloud", url: str = "https://hq.example") -> str:
    """One source, with `rest` for its other lines."""
    head = f'[[source]]\nname = "{name}"\nkind = "{kind}"\n'
    return head + (f'url = "{url}"\n' if url else "") + rest + "\n"


def waiver(**changes: str) -> str:
    """One waiver, with some of its lines changed; an empty one is left out."""
    lines = {
        "checks": '["backup-stale"]',
        "serials": '["C39X1"]',
        "reason": '"kiosk"',
        "owner": '"it"',
        "expires": "2027-01-31",
    }
    return "[[waiver]]\n" + "".join(f"{key} = {value}\n" for key, value in (lines | changes).items() if value)


SECRET = 'client_secret = { env = "HQ_SECRET" }\n'

WRONG = [
    ("[polcy]\n", ["[polcy]", "unknown table", '"policy"']),
    ('url = "https://hq.example"\n', ["[url]", "unknown table", "known:"]),
    ("policy = 3\n", ["[policy]", "should be one table"]),
    ("[[policy]]\n", ["[policy]", "should be one table"]),
    ('[source]\nname = "hq"\n', ["[source]", "[[source]]"]),
    ("waiver = [1]\n", ["[waiver]", "[[waiver]]"]),
    ("[policy]\nsilent_dais = 3\n", ["[policy] silent_dais", "unknown key", '"silent_days"']),
    ('[policy]\nsilent_days = "7"\n', ["[policy] silent_days", 'found "7"', "a whole number above 0"]),
    ("[policy]\nsilent_days = 7.5\n", ["[policy] silent_days", "found 7.5", "whole"]),
    ("[policy]\nsilent_days = {}\n", ["[policy] silent_days", "found a table"]),
    ("[policy]\nsilent_days = 2027-01-31\n", ["[policy] silent_days", "found a date or time"]),
    ("[database]\nurl = 3\n", ["[database] url", "found 3", "text in quotes"]),
    ("[policy]\nsilent_days = true\n", ["[policy] silent_days", "found true"]),
    ("[policy]\nsilent_days = 0\n", ["[policy] silent_days", "found 0", "above 0"]),
    ("[policy]\nsilent_days = 99999999999\n", ["[policy] silent_days", "at most 36500"]),
    ("[policy]\nstorage_critical_gb_free = -1.0\n", ["[policy] storage_critical_gb_free", "found -1.0"]),
    ("[policy]\nmass_change_percent = 101\n", ["[policy] mass_change_percent", "found 101", "from 0 to 100"]),
    (
        "[policy]\nbackup_high_days = 5\n",
        ["[policy] backup_high_days: is 5", "at least backup_warn_days", "7"],
    ),
    ("[policy]\nbackup_critical_days = 150\n", ["backup_expiring_days", "more than backup_critical_days"]),
    ("[policy]\nstorage_high_percent_free = 11\n", ["storage_warn_percent_free", "at least"]),
    ("[policy]\nstorage_critical_gb_free = 3\n", ["storage_high_gb_free", "at least"]),
    ("[catalog]\nrefresh = 1\n", ["[catalog] refresh", "found 1", "true or false (no quotes)"]),
    ("[catalog]\nrefrsh = true\n", ["[catalog] refrsh", '"refresh"']),
    ('[catalog]\nfeeds = ["sofa", "gdfm"]\n', ["[catalog] feeds", 'found "gdfm"', "'gdmf'"]),
    ('[catalog]\nsofa_url = "http://sofa.example/"\n', ["[catalog] sofa_url", "found http://…", "https://"]),
    (
        '[catalog]\ngdmf_url = "https://u:pass@gdmf.example/"\n',
        ["[catalog] gdmf_url", "a user or a password"],
    ),
    ('[catalog]\nstatus_url = "status.js"\n', ["[catalog] status_url", "https:// and a host"]),
    ("[catalog]\nverify = false\n", ["[catalog] verify", "found false", "true or the path of a CA bundle"]),
    ("[report]\ntitle = ' '\n", ["[report] title", "at least 1 character"]),
    ('[report]\nformats = ["html", "cvs"]\n', ["[report] formats", 'found "cvs"', '"csv"', "metrics"]),
    ("[report]\nformats = []\n", ["[report] formats", "found a list", "at least 1 item"]),
    ('[report]\nformats = "html"\n', ["[report] formats", 'found "html"', "array"]),
    ('[report]\naccent = "#ffcc00"\n', ["[report] accent", "has a contrast of 1.5 to white", "would do"]),
    ('[report]\nbase_url = "reports.example"\n', ["[report] base_url", "http://"]),
    ('[report]\nbase_url = "https://"\n', ["[report] base_url", "with a host"]),
    ('[report]\nbase_url = "https://x.example/?a"\n', ["[report] base_url", "without user, ? and #"]),
    ('[report]\nbase_url = "ftp://x.example/"\n', ["[report] base_url", "http://"]),
    (
        '[database]\nurl = "mysql://db/fleet"\n',
        ["[database] url", "found mysql://…; should be sqlite:///FILE or postgresql+psycopg://"],
    ),
    ('[database]\nurl = "postgresql://db/fleet"\n', ["[database] url", "postgresql+psycopg://"]),
    ('[database]\nurl = "postgresql+psycopg://db:x/f"\n', ["[database] url", "should be"]),
    ('[database]\nurl = "sqlite://"\n', ["[database] url", "should be sqlite:///FILE"]),
    ('[database]\nurl = "sqlite:///"\n', ["[database] url", "should name a file"]),
    ('[database]\nurl = "sqlite:///:memory:"\n', ["[database] url", "should name a file"]),
    ('[database]\nurl = "sqlite:///f.db?mode=ro"\n', ["[database] url", "without ?"]),
    ('[database]\npassword = { env = "X" }\n', ["[database] password", "delete this line"]),
    (f'[database]\npassword = "{CANARY}"\n', ["[database] password", "{ env =", "{ keyring ="]),
    (
        f'[database]\nurl = "postgresql+psycopg://f:{CANARY}@db/f"\n',
        ["[database] url", "carries a password", "{ env ="],
    ),
    (
        f'[database]\nurl = "postgresql+psycopg://f:9/{CANARY}@db/f"\n',
        ["[database] url", "carries a password"],
    ),
    (
        f'[database]\nurl = "postgresql+psycopg://db/f?password={CANARY}"\n',
        ["[database] url", "carries a password"],
    ),
    (f'[database]\nurl = "{CANARY}"\n', ["[database] url", "should be"]),
    (
        source(SECRET, kind="clod"),
        ['[[source]] "hq" kind', 'found "clod"', '"cloud"', "known: cloud, sheet, keyed"],
    ),
    ('[[source]]\nname = "hq"\n', ['[[source]] "hq" kind', "is required", "known: cloud"]),
    ('[[source]]\nkind = "sheet"\npath = "x"\n', ["[[source]] number 1 name", "is required"]),
    ("[[source]]\nname = 3\nkind = 4\n", ["[[source]] number 1 kind", "found 4"]),
    (
        source(SECRET, name="H Q"),
        ['[[source]] "H Q" name', 'found "H Q"', "small letters a-z, digits and hyphens"],
    ),
    (source(SECRET, url=""), ['[[source]] "hq" url', "is required"]),
    (source(SECRET + "urll = 3"), ['[[source]] "hq" urll', "unknown key", '"url"']),
    (source(SECRET + f'client_secrt = "{CANARY}"'), ['"hq" client_secrt', "unknown key", '"client_secret"']),
    (
        source(SECRET + 'timeout_seconds = "60"'),
        ['"hq" timeout_seconds', 'found "60"', "should be a valid number"],
    ),
    (source(SECRET + "deadline_minutes = -5"), ['"hq" deadline_minutes', "found -5", "greater than 0"]),
    (
        source(SECRET + 'enabled = "no"'),
        ['"hq" enabled', 'found "no"', "should be true or false (no quotes)"],
    ),
    (
        source(SECRET + "verify = 3"),
        ['"hq" verify', "found 3", "should be true or false (no quotes) or be a text in quotes"],
    ),
    (
        source("columns = { serial = 3 }\npath = 'x'", kind="sheet", url=""),
        ['"hq" columns.serial', "found 3", "text in quotes"],
    ),
    (
        source("path = 'x'\nedition = 2027-01-31", kind="sheet", url=""),
        ['"hq" edition', "should be a valid integer"],
    ),
    (source(""), ['[[source]] "hq": needs client_id and client_secret, or username and password']),
    (source("", kind="keyed", url=""), ['"hq" api_key', "is required", "{ env =", "{ command ="]),
    (
        source(f'client_secret = "{CANARY}"'),
        ['"hq" client_secret', "{ env =", "{ file =", "{ command =", "{ keyring ="],
    ),
    (source(f'client_secret = {{ "{CANARY}" = "x" }}'), ['"hq" client_secret', "exactly one key"]),
    (
        source(f'client_secret = {{ env = "{CANARY}" }}'),
        ['"hq" client_secret', "env reference cannot be used"],
    ),
    (source(f'client_secret = ["{CANARY}"]'), ['"hq" client_secret', "{ env ="]),
    (source(SECRET, url="http://hq.example"), ['"hq" url', "found http://", "should be https://"]),
    (source(SECRET, url="http://localhost.example"), ['"hq" url', "should be https://"]),
    (source(SECRET, url="hq.example"), ['"hq" url', 'found "hq.example"', "starts with https://"]),
    (source(SECRET, url="https://hq .example"), ['"hq" url', "starts with https://"]),
    (source(SECRET, url="https://hq:port"), ['"hq" url', "starts with https://"]),
    (source(SECRET, url=f"https://me:{CANARY}@hq.example"), ['"hq" url', "carries a user or a password"]),
    (source(SECRET + 'token_url = "http://hq.example"'), ['"hq" token_url', "should be https://"]),
    (source(SECRET) + source(SECRET), ['"hq" name', "sources number 1 and 2", "unique"]),
    (
        waiver(checks='["backup-stael"]'),
        ["[[waiver]] number 1 checks", 'found "backup-stael"', '"backup-stale"'],
    ),
    (waiver(checks="[]"), ["[[waiver]] number 1 checks", "at least 1 item"]),
    (waiver(serials=""), ["[[waiver]] number 1: needs at least one of serials, sites"]),
    (waiver(serials="[]", sites='["HQ"]'), ["[[waiver]] number 1 serials", "at least 1 item"]),
    (waiver(serials='[" "]'), ["[[waiver]] number 1 serials", "at least 1 character"]),
    (waiver(sources='["hg"]') + source(SECRET), ["[[waiver]] number 1 sources", 'found "hg"', '"hq"']),
    (waiver(expires=""), ["[[waiver]] number 1 expires", "is required"]),
    (waiver(expires='"never"'), ["[[waiver]] number 1 expires", 'found "never"', "date"]),
    (waiver(reason=""), ["[[waiver]] number 1 reason", "is required"]),
    (waiver(owner="3", reason="''"), ["[[waiver]] number 1 reason", "at least 1 character"]),
    (waiver(serial='["x"]'), ["[[waiver]] number 1 serial", "unknown key", '"serials"']),
]


@pytest.mark.parametrize(("text", "fragments"), WRONG)
def test_what_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, text: str, fragments: list[str]) -> None:
    """One line names the file, the table, the key, what was found and what is allowed, and never a secret."""
    lines = refusal(tmp_path, text)
    assert any(all(fragment in line for fragment in fragments) for line in lines), lines
    assert all(line.startswith(f"{tmp_path / 'fleetkeep.toml'}: [") for line in lines)
    assert CANARY not in "".join(lines)


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        (b"[policy\n", ["is not TOML", "line 1, column 8"]),
        (
            f"[[source]]\nclient_secret = {CANARY}\n".encode(),
            ["is not TOML", "line 2, column 17", "straight quotes"],
        ),
        (f'[[source]]\nclient_secret = "{CANARY}\n'.encode(), ["is not TOML", "line 2"]),
        (f'x = "{CANARY}\xff"'.encode("latin-1"), ["is not UTF-8 text", "byte 29"]),
        (b"[policy]\nsilent_days = inf\n", ["infinite"]),
        (b"[policy]\nsilent_days = 1e999\n", ["infinite"]),
        (b"[policy]\nsilent_days = 0x" + b"f" * 9000, ["endless number"]),
        (b"[policy]\nsilent_days = " + b"9" * 9000, ["endless number"]),
        (b"x = " + b"[" * 9000, ["nested too deeply"]),
        (b".".join([b"a"] * 9000) + b" = 1", []),
        (b"#" * 1024 * 1025, ["1024 KiB"]),
    ],
)
def test_what_is_no_toml_is_refused_as_a_whole(tmp_path: Path, content: bytes, fragments: list[str]) -> None:
    """A file that cannot be parsed is refused with its place, and nothing of its text."""
    path = tmp_path / "fleetkeep.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load(path, KINDS, known_checks=CHECKS, known_formats=FORMATS)
    assert all(fragment in str(caught.value) for fragment in (str(path), *fragments))
    assert CANARY not in str(caught.value)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    """A path that cannot be read is named with the system's reason."""
    with pytest.raises(SettingsError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path, KINDS, known_checks=CHECKS, known_formats=FORMATS)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """An admin mends a file in one go: each fault has its line."""
    lines = refusal(
        tmp_path,
        "[policy]\nsilent_days = 0\nbackup = 1\n"
        + source(f'client_secret = "{CANARY}"\ntimeout_seconds = 0'),
    )
    assert [line.partition("fleetkeep.toml: ")[2].partition(":")[0] for line in lines] == [
        "[policy] silent_days",
        "[policy] backup",
        '[[source]] "hq" client_secret',
        '[[source]] "hq" timeout_seconds',
    ]


@pytest.mark.parametrize("value", ["jane@contoso.example", "https://jane.example/?key=1", "jane ://x"])
def test_addresses_are_not_repeated(tmp_path: Path, value: str) -> None:
    """A value that may hold a person's name or a key is described, not shown."""
    (line,) = refusal(tmp_path, source(SECRET + f'enabled = "{value}"'))
    assert "found a text" in line or "found https://…;" in line
    assert "jane" not in line


@pytest.mark.parametrize("url", ["hq.example", "http://hq.example", "https://hq:port"])
def test_of_one_key_one_thing_is_said(tmp_path: Path, url: str) -> None:
    """An address that both the settings and the connector refuse is refused once, in the settings' words."""
    (line,) = refusal(tmp_path, source(SECRET, url=url))
    assert "; should be " in line


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """A key or value with escape sequences in it is shown escaped and short."""
    (line,) = refusal(tmp_path, '[catalog]\n"\\u001b[2J' + "x" * 500 + '" = 1\n')
    assert "\x1b" not in line
    assert len(line) < 300 + len(str(tmp_path))


def resolver_of(environ: Mapping[str, str], base: Path):  # noqa: ANN201 - a closure of `resolve`
    """How a command follows references."""

    def resolver(ref: SecretRef) -> SecretStr:
        return resolve(ref, environ, base)

    return resolver


def test_an_opened_source_holds_its_secrets(tmp_path: Path) -> None:
    """Only opening a source follows its references; what is printed of it still shows none."""
    (config,) = read(tmp_path, CLOUD).sources
    opened = config.opened(resolver_of({"HQ_SECRET": CANARY}, tmp_path))
    assert isinstance(opened, Cloud)
    assert opened.client_secret == SecretStr(CANARY)
    assert opened.password is None
    assert CANARY not in repr(opened) + repr(config)


def test_a_secret_that_cannot_be_had_names_source_key_and_reference(tmp_path: Path) -> None:
    """The report says which source lacks which secret, and where it was looked for."""
    (config,) = read(tmp_path, CLOUD).sources
    with pytest.raises(SecretUnavailable, match='source "hq": client_secret: variable HQ_SECRET is not set'):
        config.opened(resolver_of({}, tmp_path))


def test_the_database_password_is_opened_like_any_secret(tmp_path: Path) -> None:
    """It comes from its reference; where that fails the database is unusable; no reference, no password."""
    database = read(tmp_path, WHOLE).database
    with pytest.raises(StoreError, match=r"\[database\] password: file db.txt does not exist"):
        database.opened(resolver_of({}, tmp_path))
    (tmp_path / "db.txt").write_text(CANARY)
    assert database.opened(resolver_of({}, tmp_path)) == SecretStr(CANARY)
    assert read(tmp_path, "").database.opened(resolver_of({}, tmp_path)) is None


def test_a_program_that_reads_a_secret_is_not_shown_with_its_arguments(tmp_path: Path) -> None:
    """Arguments may carry a token: the printed form of the settings leaves them out."""
    text = CLOUD.replace('{ env = "HQ_SECRET" }', f'{{ command = ["op", "{CANARY}"] }}')
    (config,) = read(tmp_path, text).sources
    assert config.secrets["client_secret"] == Command("op", (CANARY,))
    assert CANARY not in repr(config)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and a home of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "site"))
    return tmp_path


PLACES = ["explicit.toml", "variable.toml", "work/fleetkeep.toml", "user/fleetkeep/fleetkeep.toml"]
SITE = "site/fleetkeep/fleetkeep.toml"


@pytest.mark.parametrize("first", range(5))
def test_the_first_of_the_documented_places_wins(desk: Path, first: int) -> None:
    """The order is: --config, the variable, the working directory, the user's and the computer's settings."""
    for place in [*PLACES, SITE][first:]:
        (desk / place).parent.mkdir(parents=True, exist_ok=True)
        (desk / place).touch()
    explicit = desk / PLACES[0] if first == 0 else None
    environ = {"FLEETKEEP_CONFIG": str(desk / PLACES[1])} if first <= 1 else {"FLEETKEEP_CONFIG": ""}
    assert find(explicit, environ).absolute() == desk / [*PLACES, SITE][first]


def test_without_a_file_the_places_are_named(desk: Path) -> None:
    """Whoever has no settings yet learns where they would be and what writes them."""
    with pytest.raises(SettingsError) as caught:
        find(None, {})
    expected = ("fleetkeep.toml", str(desk / PLACES[3]), str(desk / SITE), "fleetkeep init", "--config")
    assert all(fragment in str(caught.value) for fragment in expected)


@pytest.mark.parametrize(
    ("explicit", "environ", "who"),
    [
        (Path("gone.toml"), {}, "--config"),
        (Path("x" * 9999), {}, "--config"),
        (None, {"FLEETKEEP_CONFIG": "gone.toml"}, "FLEETKEEP_CONFIG"),
    ],
)
def test_a_named_file_that_is_missing_is_not_replaced(
    desk: Path, explicit: Path | None, environ: dict[str, str], who: str
) -> None:
    """A wrong name is an error; another file that happens to be there is not taken for it."""
    Path("fleetkeep.toml").touch()
    with pytest.raises(SettingsError, match=f".{{9}} .{who}. does not exist"):
        find(explicit, environ)


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    """What was checked stays as it was checked."""
    settings = read(tmp_path, CLOUD)
    with pytest.raises(ValidationError):
        settings.sources[0].settings.name = "other"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (Policy(), Policy(icloud_plan_gb=5.0), True),
        (Policy(), Policy(silent_days=8), False),
        (Policy(backup_warn_days=8), Policy(silent_days=8), False),
    ],
)
def test_a_fingerprint_tells_policies_apart(one: Policy, other: Policy, *, equal: bool) -> None:
    """Two runs were judged alike exactly when their policies have one fingerprint."""
    assert (one.fingerprint() == other.fingerprint()) is equal
    assert len(one.fingerprint()) == 16


NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)


def device(**signals: object) -> Device:
    """A device that source `hq` knows, with some signals."""
    record = DeviceRecord(native_id="1")
    sighting = Sighting(
        source="hq", record=record, observed_at=NOON, last_seen_at=NOON, standing=Standing.READ
    )
    return Device(key="0" * 32, sightings=(sighting,), **signals)  # pyright: ignore[reportArgumentType] - a table of signals


IPAD = device(
    serial="c39x1",
    site="HQ",
    groups=("Kiosk", "Lobby"),
    model_identifier="iPad11,6",
    model_name="iPad (8th generation)",
)


def accepted(**scopes: object) -> Waiver:
    """A waiver of `backup-stale` until the end of January."""
    parts = {
        "checks": ("backup-stale",),
        "reason": "kiosk",
        "owner": "it",
        "expires": date(2027, 1, 31),
        **scopes,
    }
    return Waiver(**parts)  # pyright: ignore[reportArgumentType] - a table of scopes


@pytest.mark.parametrize(
    ("waiver", "on", "check", "expected"),
    [
        (accepted(serials=("C39X1",)), IPAD, "backup-stale", True),
        (accepted(serials=("C39X2", "C39X1")), IPAD, "backup-stale", True),
        (accepted(serials=("C39X2",)), IPAD, "backup-stale", False),
        (accepted(sites=("HQ",)), IPAD, "backup-stale", True),
        (accepted(sites=("HQ",), groups=("Sales",)), IPAD, "backup-stale", False),
        (accepted(sites=("HQ",), groups=("Sales", "Lobby")), IPAD, "backup-stale", True),
        (accepted(models=("iPad11,6",)), IPAD, "backup-stale", True),
        (accepted(models=("iPad (8th generation)",)), IPAD, "backup-stale", True),
        (accepted(models=("iPad",)), IPAD, "backup-stale", False),
        (accepted(sources=("hq",)), IPAD, "backup-stale", True),
        (accepted(sources=("branch",)), IPAD, "backup-stale", False),
        (accepted(serials=("C39X1",)), IPAD, "storage-full", False),
        (accepted(serials=("C39X1",), checks=("*",)), IPAD, "storage-full", True),
        (accepted(), IPAD, "backup-stale", False),
        (accepted(serials=("C39X1",)), device(), "backup-stale", False),
        (accepted(sites=("HQ",)), device(), "backup-stale", False),
        (accepted(groups=("Kiosk",)), device(), "backup-stale", False),
        (accepted(models=("iPad11,6",)), device(), "backup-stale", False),
    ],
)
def test_a_waiver_covers_what_is_in_all_of_its_scopes(
    waiver: Waiver, on: Device, check: str, *, expected: bool
) -> None:
    """Scopes narrow each other, entries of one widen it, and what is unknown of a device is in none."""
    assert waiver.matches(on, check, NOON) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2027-01-31T23:59:59.999999+00:00", True),
        ("2027-02-01T00:00:00+00:00", False),
        ("2027-02-01T00:30:00+01:00", True),
        ("2027-01-31T23:30:00-01:00", False),
    ],
)
def test_a_waiver_lasts_to_the_end_of_its_day_in_utc(moment: str, *, expected: bool) -> None:
    """The day counts to its end, wherever the clock that asks may stand."""
    waived = accepted(serials=("C39X1",))
    assert waived.matches(IPAD, "backup-stale", datetime.fromisoformat(moment)) is expected
    assert waived.until == datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
