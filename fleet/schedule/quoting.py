"""Each unit's way to write a value down, so that no path can end a word, a line or a tag, or start a command."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Quoted(str):
    """Text that stands in a unit as it is."""

    __slots__ = ()


def systemd(value: object) -> str:
    """One word of a setting that takes a list of words (systemd.syntax(7): quotes; % begins a specifier).

    What quotes cannot hold has been refused.
    """
    text = str(value).replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII):
        return text
    return f'"{text}"'


def systemd_command(value: object) -> Quoted:
    """One word of a command line after the program (systemd.service(5): $ begins a variable)."""
    return Quoted(systemd(value).replace("$", "$$"))


def systemd_whole(value: object) -> Quoted:
    """A setting that takes the whole rest of the line, and knows no quotes."""
    return Quoted(str(value).replace("%", "%%"))


def shell(value: object) -> str:
    """One word of a POSIX shell."""
    return shlex.quote(str(value))


def crontab(command: str) -> Quoted:
    """A whole command as cron wants it: a bare % would end the line (crontab(5))."""
    return Quoted(command.replace("%", "\\%"))


def yaml(value: object) -> str:
    """A scalar: every JSON string is one."""
    return json.dumps(value if isinstance(value, int) else str(value), ensure_ascii=False)


def yaml_text(text: str, indent: int) -> Quoted:
    """A text of several lines: as a block that can be read, or where a character forbids that, as JSON."""
    lines = text.replace("\r\n", "\n").split("\n")
    if not all(line.replace("\t", " ").isprintable() for line in lines):
        return Quoted(yaml(text))
    # The indentation is said, because a first line that begins with spaces would decide it otherwise.
    block = "\n".join(" " * indent + line if line else "" for line in lines)
    return Quoted(f"|2+\n{block}".removesuffix("\n"))


def mounted(path: Path) -> str:
    """Where a file that the settings name lies in a container, whose settings file lies in /data."""
    return str(PurePosixPath("/data") / path)


def plain(value: object) -> str:
    """As it is: for XML, where the template escapes every value."""
    return str(value)


def windows(value: object) -> str:
    """One word for cmd.exe; what a quoted word cannot carry has been refused."""
    return f'"{value}"'
