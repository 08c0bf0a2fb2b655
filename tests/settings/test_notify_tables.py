"""`[[notify]]`: the keys of every channel, and what is refused before anything could be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.registry import SettingsModels
from fleet.cli.template import settings_text
from fleet.errors import SecretUnavailable, SettingsError
from fleet.model.finding import Severity
from fleet.secrets import Variable
from fleet.settings import load
from reports.notify._channel import AudienceSettings
from reports.notify.registry import CHANNELS
from reports.registry import OWN_FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from connectors._connector import SourceSettings
    from fleet.secrets import SecretRef
    from fleet.settings import Settings

SOURCE = '[[source]]\nname = "hq"\nkind = "file"\npath = "d.csv"\n[source.columns]\nserial = "S"\n'
CHAT = '[[notify]]\nname = "chat"\nkind = "slack"\nurl = { env = "SLACK" }\n'
MAIL = '[[notify]]\nname = "m"\nkind = "email"\nhost = "h"\nsender = "x"\nrecipients = ["a@b.example"]'


def read(folder: Path, text: str) -> Settings[SourceSettings]:
    """The settings in `text`, with our own channels."""
    path = folder / "fleetkeep.toml"
    path.write_text(text, "utf-8")
    channels = {kind: channel.settings for kind, channel in CHANNELS.items()}
    return load(path, SettingsModels(), known_checks=[], known_formats=list(OWN_FORMATS), channels=channels)


def test_what_init_writes_can_be_used(tmp_path: Path) -> None:
    """Each block of a new settings file is a notification that works once its marks of comment are taken away."""
    text = settings_text([])
    start, end = text.index("# [[notify]]"), text.index("# [[waiver]]")
    loaded = read(tmp_path, text[start:end].replace("\n# ", "\n").removeprefix("# "))
    assert [config.kind for config in loaded.notify] == list(CHANNELS)
    for config in loaded.notify:
        assert isinstance(config.settings, AudienceSettings) is (config.kind != "ping")


def test_a_notification_arrives_typed(tmp_path: Path) -> None:
    """Its keys are checked, its paths are relative to the file, its secrets are references."""
    more = 'when = "problems"\nminimum_severity = "critical"\nsites = ["HQ"]\nsources = ["hq"]\nverify = "ca.pem"\n'
    (config,) = read(tmp_path, SOURCE + CHAT + more).notify
    keys = config.settings
    assert isinstance(keys, AudienceSettings)
    assert (keys.when, keys.minimum_severity) == ("problems", Severity.CRITICAL)
    assert (keys.sites, keys.sources, keys.verify) == (("HQ",), ("hq",), tmp_path / "ca.pem")
    assert (config.name, config.enabled, config.secrets) == ("chat", True, {"url": Variable("SLACK")})


def test_a_secret_that_cannot_be_had_names_the_notification(tmp_path: Path) -> None:
    """The one who reads the log finds the table."""
    (config,) = read(tmp_path, CHAT).notify

    def unset(_: SecretRef) -> SecretStr:
        raise SecretUnavailable("variable SLACK is not set")

    with pytest.raises(SecretUnavailable, match='notify "chat": url: variable SLACK is not set'):
        config.opened(unset)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            CHAT.replace('{ env = "SLACK" }', '"https://hooks.example/canary"'),
            "url: a secret itself is never",
        ),
        (CHAT.replace("slack", "slak"), 'kind: found "slak"; the nearest known is "slack"'),
        (CHAT.replace('kind = "slack"\n', ""), "kind: is required"),
        (CHAT.replace("url", "uri"), 'uri: unknown key; the nearest known is "url"'),
        (CHAT + 'when = "never"', "when: found \"never\"; should be 'changes', 'problems' or 'always'"),
        (CHAT + 'minimum_severity = "bad"', "minimum_severity: found"),
        (CHAT + 'sources = ["branch"]', 'sources: found "branch"; known: none'),
        (CHAT + "verify = false", "verify: found false"),
        (CHAT.replace('"chat"', '"Chat!"'), "name: found"),
        (CHAT * 2, "name: notifications number 1 and 2 share it"),
        ("[notify]\nkind = 'slack'", "[notify]: should be tables that each start with [[notify]]"),
        (
            '[[notify]]\nname = "m"\nkind = "email"\nhost = "h"\nsender = "x"\nrecipients = ["a@b.example"]',
            "sender: found",
        ),
        (CHAT.replace("slack", "webhook"), "secret: is required; write { env"),
        (CHAT.replace("slack", "ping") + 'when = "always"', "when: unknown key"),
    ],
)
def test_what_cannot_be_used_is_told_at_once(tmp_path: Path, text: str, said: str) -> None:
    """A table that could send nothing, or send in the clear, is refused with its place and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)
