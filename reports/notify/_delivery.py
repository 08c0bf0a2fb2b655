"""Getting one message through: a few tries, a little patience, and an honest word where it did not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.errors import Undelivered

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.notify._channel import Channel, ChannelSettings, Outside
    from reports.notify._message import Message

PAUSES = (2.0, 8.0, 30.0)
"""Seconds before the second, third and fourth try; whoever asks for longer than twice the last is not waited for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message.

    Attributes:
        problem: why it did not get through, in a sentence without addresses; None if it did.
    """

    tries: int
    problem: str | None = None


def deliver(
    channel: Channel[Any],
    settings: ChannelSettings,
    message: Message,
    outside: Outside,
    sleep: Callable[[float], None],
) -> Delivery:
    """Send a message by a channel, trying again what is worth it; never raises."""
    tries = 0
    for pause in (*PAUSES, None):
        tries += 1
        try:
            channel.send(settings, message, outside)
        except Undelivered as error:
            if pause is None or not error.again or error.wait > 2 * PAUSES[-1]:
                return Delivery(tries, str(error))
            sleep(max(pause, error.wait))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a message, the night's work stands
            return broken_off(error, tries)
        else:
            break
    return Delivery(tries)


def broken_off(error: Exception, tries: int = 0) -> Delivery:
    """What to say of a message that a bug of ours kept from being made or sent; the way there only at `-v`."""
    log.info("the way to a failed notification", exc_info=error)
    return Delivery(tries, f"a bug of ours ({type(error).__name__}); please report it with what -v shows")
