"""Secrets are references: where to read one, and reading it once.

Nothing here ever puts a secret, or what a program printed, into an error: not into its text, and not into the
chain of exceptions behind it, which a traceback would print.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_never, cast

from pydantic import SecretStr

from fleet.errors import SecretUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BYTES = 64 * 1024
COMMAND_SECONDS = 30
WAYS = (
    'write { env = "NAME" }, { file = "PATH" }, { command = ["PROGRAM", …] } or { keyring = "SERVICE/USER" }'
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment."""

    name: str

    def __str__(self) -> str:
        return f"variable {self.name}"


@dataclass(frozen=True, slots=True)
class File:
    """A file whose whole text is the secret; a relative path is relative to the settings file."""

    path: Path

    def __str__(self) -> str:
        return f"file {self.path}"


@dataclass(frozen=True, slots=True)
class Command:
    """A program, run without a shell, that prints the secret; only its name is ever shown."""

    program: str
    arguments: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"program {self.program}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """An entry of the operating system's keyring."""

    service: str
    user: str

    def __str__(self) -> str:
        return f"keyring entry {self.service}/{self.user}"


SecretRef: TypeAlias = Variable | File | Command | Keyring


def reference(value: object) -> SecretRef:
    """The reference that a settings file's table describes.

    Raises:
        ValueError: it is not one; the message says what to write, and repeats nothing of `value`.
    """
    if not isinstance(value, dict):
        raise ValueError(f"a secret itself is never written here; {WAYS}")  # noqa: TRY004 - one kind of error
    table = cast("dict[str, object]", value)
    if len(table) != 1 or not table.keys() <= _READERS.keys():
        raise ValueError(f"a reference to a secret has exactly one key; {WAYS}")
    ((way, place),) = table.items()
    ref = _READERS[way](place)
    if ref is None:
        raise ValueError(f"this {way} reference cannot be used; {WAYS}")
    return ref


def _variable(place: object) -> Variable | None:
    # A stricter rule than the operating system's, so that a secret pasted here by mistake mostly fails it.
    usable = isinstance(place, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", place)
    return Variable(str(place)) if usable else None


def _file(place: object) -> File | None:
    return File(Path(place)) if isinstance(place, str) and _usable(place) else None


def _command(place: object) -> Command | None:
    words = cast("list[object]", place) if isinstance(place, list) else []
    texts = [word for word in words if isinstance(word, str) and "\0" not in word]
    if not texts or len(texts) != len(words) or not _usable(texts[0]):
        return None
    return Command(texts[0], tuple(texts[1:]))


def _keyring(place: object) -> Keyring | None:
    # Names of services may be addresses with slashes in them; names of users are not.
    service, _, user = place.rpartition("/") if isinstance(place, str) else ("", "", "")
    return Keyring(service, user) if service and user else None


def _usable(text: str) -> bool:
    return bool(text.strip()) and text.isprintable()


def resolve(ref: SecretRef, environ: Mapping[str, str], base: Path) -> SecretStr:
    """What `ref` leads to, without one newline at its end; `base` is the folder of the settings file.

    Raises:
        SecretUnavailable: naming the reference and what to do, never any content.
    """
    match ref:
        case Variable():
            text = _of_variable(ref, environ)
        case File():
            text = _text(ref, _of_file(ref, base))
        case Command():
            text = _text(ref, _of_command(ref, environ, base))
        case Keyring():
            text = _of_keyring(ref)
        case _:
            assert_never(ref)
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretUnavailable(f"{ref} is empty; put the secret there")
    return SecretStr(secret)


def exposure(ref: SecretRef, base: Path) -> str | None:
    """A warning when every user of the computer may read the file that `ref` names; else None."""
    if not isinstance(ref, File) or os.name == "nt":
        return None
    try:
        mode = (base / ref.path).stat().st_mode
    except OSError:
        return None  # `resolve` says what is wrong with it
    return f"{ref} is readable by every user of this computer; chmod o-r it" if mode & stat.S_IROTH else None


def _of_variable(ref: Variable, environ: Mapping[str, str]) -> str:
    if ref.name not in environ:
        raise SecretUnavailable(f"{ref} is not set; set it in the environment that starts fleetkeep")
    return environ[ref.name]


def _of_file(ref: File, base: Path) -> bytes:
    try:
        with (base / ref.path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise SecretUnavailable(f"{ref} does not exist; create it or correct its path") from error
    except OSError as error:
        raise SecretUnavailable(
            f"{ref} cannot be read ({error.strerror}); let fleetkeep's user read it"
        ) from error


def _of_command(ref: Command, environ: Mapping[str, str], base: Path) -> bytes:
    done = _completed(ref, environ, base)
    if done is None:
        raise SecretUnavailable(
            f"{ref} did not end within {COMMAND_SECONDS} seconds; it must not ask questions"
        )
    if done.returncode != 0:
        raise SecretUnavailable(f"{ref} ended with exit status {done.returncode}; run it by hand to see why")
    return done.stdout


def _completed(
    ref: Command, environ: Mapping[str, str], base: Path
) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(  # noqa: S603 - the admin's own program, without a shell
            [ref.program, *ref.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            cwd=base,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None  # raised from here, our error would carry the output along
    except OSError as error:
        raise SecretUnavailable(
            f"{ref} cannot be run ({error.strerror}); install it or correct its path"
        ) from error


def _of_keyring(ref: Keyring) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra that most installations do without
        import keyring.errors  # noqa: PLC0415
    except ImportError as error:
        raise SecretUnavailable(f'{ref} needs a package: pip install "fleetkeep[keyring]"') from error
    try:
        secret = keyring.get_password(ref.service, ref.user)
    except keyring.errors.KeyringError as error:
        raise SecretUnavailable(f"{ref} cannot be read; unlock the keyring for fleetkeep's user") from error
    if secret is None:
        raise SecretUnavailable(f"{ref} does not exist; keyring set {ref.service} {ref.user} creates it")
    return secret


def _text(ref: SecretRef, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise SecretUnavailable(
            f"{ref} gives more than {MAX_BYTES // 1024} KiB, which is no secret; correct it"
        )
    text = _decoded(content)
    if text is None:
        raise SecretUnavailable(f"{ref} gives something that is not UTF-8 text; save the secret as UTF-8")
    return text


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode("utf-8-sig")  # editors on Windows put a byte order mark first
    except UnicodeDecodeError:
        return None  # raised from here, our error would carry the content along


_READERS: Mapping[str, Callable[[object], SecretRef | None]] = {
    "env": _variable,
    "file": _file,
    "command": _command,
    "keyring": _keyring,
}
