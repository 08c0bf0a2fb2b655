"""Notifications through the real command: real mail, real HTTP on loopback, and what is remembered of both."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.servers.loopback import Asked, Loopback, Reply
from tests.servers.smtp import PASSWORD, USER, MailServer

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.command import Ended, Office

CANARY = "canary-path-9d2e"
KEY = "canary-key-77f1"
SOURCE = """
[[source]]
name = "school"
kind = "file"
path = "devices.csv"

[source.columns]
serial = "Serial"
name = "Name"
backup_enabled = "Backup"
last_cloud_backup_at = "Last"
checkin_at = "Seen"
site = "Site"
"""
NOTIFY = """
[[notify]]
name = "mail"
kind = "email"
host = "localhost"
port = {port}
verify = "ca.pem"
username = "{user}"
password = {{ env = "SMTP_PASSWORD" }}
sender = "fleetkeep@contoso.example"
recipients = ["it@contoso.example"]

[[notify]]
name = "lab-only"
kind = "webhook"
url = {{ env = "WEBHOOK_URL" }}
secret = {{ env = "WEBHOOK_SECRET" }}
sites = ["Lab"]

[[notify]]
name = "chat"
kind = "slack"
url = {{ env = "SLACK_URL" }}

[[notify]]
name = "monitor"
kind = "ping"
url = {{ env = "PING_URL" }}
failure_url = {{ env = "PING_FAILURE_URL" }}
method = "POST"

[[notify]]
name = "off"
kind = "slack"
enabled = false
url = {{ env = "NOT_SET" }}
"""


class Post(Loopback):
    """Takes everything, or says `status`."""

    status = 200

    def route(self, asked: Asked) -> Reply:
        """The answer."""
        return Reply(200 if asked.path.startswith("/ping") else self.status, b"")

    def taken(self, path: str) -> list[Asked]:
        """The requests to that path, which are forgotten with that."""
        found = [asked for asked in self.asked if asked.path == f"/{path}/{CANARY}"]
        self.asked = [asked for asked in self.asked if asked not in found]
        return found


@dataclass
class School:
    """An office that tells everybody of everything."""

    office: Office
    mail: MailServer
    post: Post

    def night(self, number: int, ill: int, *options: str) -> Ended:
        """A run on a night on which so many of four devices have their backup off."""
        seen = f"2026-03-{2 + number:02d}T03:00:00Z"
        rows = [
            f"C39XTEST000{n},<b>iPad {n}</b>,{'no' if n < ill else 'yes'},{seen},{seen},{'Lab' if n else 'HQ'}"
            for n in range(4)
        ]
        text = "\n".join(["Serial,Name,Backup,Last,Seen,Site", *rows, ""])
        (self.office.folder / "devices.csv").write_text(text, "utf-8")
        return self.office("run", "--as-of", seen.replace("T03", "T04"), *options)


@pytest.fixture
def school(office: Office) -> Generator[School]:
    """Servers for everything that its settings name."""
    with ExitStack() as stack:
        mail = stack.enter_context(MailServer(office.folder))
        post = stack.enter_context(Post())
        office.configure(SOURCE, NOTIFY.format(port=mail.port, user=USER))
        office.env |= {
            "SMTP_PASSWORD": PASSWORD,
            "WEBHOOK_SECRET": KEY,
            **{
                f"{name}_URL": f"{post.url}/{name.lower()}/{CANARY}"
                for name in ("WEBHOOK", "SLACK", "PING", "PING_FAILURE")
            },
        }
        yield School(office, mail, post)


def headlines(school: School) -> dict[str, str]:
    """What each of them was told since the last look."""
    told = [("mail", mail["Subject"].partition(": ")[2]) for mail in school.mail.box.mails]
    school.mail.box.mails.clear()
    told += [("lab", json.loads(asked.body)["headline"]) for asked in school.post.taken("webhook")]
    told += [
        ("chat", json.loads(asked.body)["blocks"][0]["text"]["text"]) for asked in school.post.taken("slack")
    ]
    told += [("monitor", asked.body.decode()) for asked in school.post.taken("ping")]
    assert len(told) == len(dict(told)), "nobody is told twice"
    return dict(told)


def test_everybody_hears_what_concerns_them(school: School) -> None:
    """Each night each audience gets one message of what moved for it, or none; the monitor hears of every run."""
    first = school.night(0, ill=2)
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[-1] == "told: mail, lab-only, chat, monitor"
    (mail,) = school.mail.box.mails
    (attached,) = mail.iter_attachments()
    page = attached.get_content()
    assert page.replace("\r\n", "\n") == (school.office.reports / "latest" / "index.html").read_text("utf-8")
    assert headlines(school) == {
        "mail": "2 new",
        "lab": "1 new",
        "chat": "2 new",
        "monitor": "run 1 complete: 2 new",
    }
    assert school.night(1, ill=2).code == 0
    assert headlines(school) == {"monitor": "run 2 complete: nothing changed"}
    assert school.night(2, ill=1).code == 0
    assert headlines(school) == {
        "mail": "1 fixed",
        "lab": "1 fixed",
        "chat": "1 fixed",
        "monitor": "run 3 complete: 1 resolved",
    }
    assert school.office("evaluate", "--as-of", "2026-03-04T05:00:00Z").code == 0
    assert school.office("report").code == 0
    assert headlines(school) == {}


def test_a_message_that_does_not_get_through(school: School) -> None:
    """It costs the run nothing, is said at once, in the next report and by `doctor`, and made up for the next night."""
    school.post.status = 404
    ended = school.night(0, ill=2)
    assert ended.code == 0
    problem = "the other side does not know the address any more; make a new webhook (404)"
    assert ended.err.splitlines() == [
        f'fleetkeep: notify "lab-only": {problem}',
        f'fleetkeep: notify "chat": {problem}',
    ]
    assert set(headlines(school)) >= {"mail", "monitor"}
    doctor = school.office("doctor")
    assert doctor.code == 0
    assert "warning  notify chat: the message about the run of 2026-03-02T04:00:00Z did not get" in doctor.out
    assert "ok       notify mail: email;" in doctor.out
    school.post.status = 200
    assert school.night(1, ill=2).code == 0
    told = headlines(school)
    assert told == {
        "lab": "nothing changed",
        "chat": "nothing changed",
        "monitor": "run 2 complete: nothing changed",
    }
    page = (school.office.reports / "latest" / "index.html").read_text("utf-8")
    assert "notification &#34;chat&#34; about the run of 2026-03-02T04:00:00Z did not get through" in page
    assert "notify chat: slack" in school.office("doctor").out
    assert school.office("report", "--run", "2", "--out", "again").code == 0
    again = school.office.folder / "again" / "2026-03-03T040000Z" / "index.html"
    assert again.read_text("utf-8") == page


def test_no_secret_turns_up_anywhere(school: School) -> None:
    """Neither passwords nor addresses of webhooks are in the most talkative output or in any file."""
    school.post.status = 403
    school.mail.box.refused = ("it@contoso.example",)
    ended = school.night(0, 2, "-vv")
    assert ended.code == 0
    assert 'notify "mail": the mail server refuses every recipient (550)' in ended.err
    places = {"out": ended.out.encode(), "err": ended.err.encode(), **school.office.files()}
    del places["fleetkeep.toml"]
    for canary in (CANARY, KEY, PASSWORD, "it@contoso.example"):
        assert [place for place, content in places.items() if canary.encode() in content] == []


def test_a_secret_that_cannot_be_had(school: School) -> None:
    """A notification whose secret is missing is told by its key, and the others go out."""
    del school.office.env["SLACK_URL"]
    ended = school.night(0, ill=1)
    assert ended.code == 0
    assert ended.err.startswith('fleetkeep: notify "chat": url: variable SLACK_URL is not set')
    assert set(headlines(school)) == {"mail", "monitor"}
    doctor = school.office("doctor")
    assert doctor.code == 2
    assert "error    notify chat: url: variable SLACK_URL is not set" in doctor.out


def test_a_run_that_breaks_is_heard_of(school: School) -> None:
    """The monitor hears at once of a run that could not leave its report, and the exit code stays what it is."""
    school.office.reports.write_text("a file in the way")
    ended = school.night(0, ill=1)
    assert ended.code == 7
    assert [asked.body for asked in school.post.taken("ping_failure")] == [b"the run broke"]
    assert headlines(school) == {}


def test_a_failed_night_is_no_good_run(school: School) -> None:
    """When no source could be read the monitor hears of it at the address for failures."""
    school.office.configure(
        SOURCE.replace("devices.csv", "nowhere.csv"), NOTIFY.format(port=school.mail.port, user=USER)
    )
    assert school.night(0, ill=1).code == 4
    assert [asked.body for asked in school.post.taken("ping_failure")] == [b"run 1 failed: nothing changed"]
    assert headlines(school) == {"mail": "1 source incomplete", "chat": "1 source incomplete"}


def test_trying_the_way(school: School) -> None:
    """`doctor --send-test` sends one message by each notification, and its exit code says whether all were taken."""
    (school.office.folder / "devices.csv").write_text("Serial,Name,Backup,Last,Seen,Site\n", "utf-8")
    ended = school.office("doctor", "--send-test")
    assert ended.code == 0, ended.out
    assert ended.out.count("the test message was taken") == 4
    assert set(headlines(school).values()) == {"a test of this notification"}
    school.post.status = 410
    ended = school.office("doctor", "--send-test")
    assert ended.code == 2
    assert ended.out.count("make a new webhook (410)") == 2
