"""The contract of every channel: its keys in the settings, and how one message goes out by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fleet.model.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import httpx

    from reports.notify._message import Message

Line: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ChannelSettings(BaseModel):
    """The keys that every `[[notify]]` may have; a channel adds its own in a subclass.

    A field of type `SecretStr` is a secret: the settings hold a reference there. The address of a webhook is one.

    Attributes:
        name: the notification's own name.
        kind: how it goes out.
        enabled: with false it is left alone.
        timeout_seconds: for one try.
        verify: true, or a CA bundle (PEM) by which the server's certificate is verified.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=64)]
    kind: str
    enabled: bool = True
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 20
    verify: Literal[True] | Path = True


class AudienceSettings(ChannelSettings):
    """The keys of a channel that people read: when it speaks, and of what.

    Attributes:
        when: `changes` for nights on which something moved, `problems` for those on which it got worse, or `always`.
        minimum_severity: what is less is not mentioned.
        sites: with these, it speaks of their devices only.
        sources: likewise, of these sources.
    """

    when: Literal["changes", "problems", "always"] = "changes"
    minimum_severity: Severity = Severity.MEDIUM
    sites: tuple[Line, ...] = ()
    sources: tuple[Line, ...] = ()

    @property
    def sees_all(self) -> bool:
        """True if it speaks of the whole fleet."""
        return not self.sites and not self.sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a channel may use of the outside world: handed in, never imported.

    Attributes:
        now: the wall clock, UTC: time stamps of messages.
        transport: the way to an address, with proxy, trust and deadline.
        user_agent: how we introduce ourselves.
    """

    now: Callable[[], datetime]
    transport: Callable[[httpx.URL, ChannelSettings], httpx.BaseTransport]
    user_agent: str = "fleetkeep"


C = TypeVar("C", bound=ChannelSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Generic[C]):
    """One way to tell somebody.

    Attributes:
        kind: the word in the settings.
        settings: its keys.
        send: sends one message, once; raises `Undelivered` where it did not get through.
        example: the lines of a `[[notify]]` in a new settings file, without `name` and `kind`.
    """

    kind: str
    settings: type[C]
    send: Callable[[C, Message, Outside], None]
    example: str
