"""References to secrets: what they lead to, and what is said where they lead nowhere."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import keyring
import keyring.backend
import keyring.errors
import pytest
from pydantic import SecretStr

from fleet import secrets
from fleet.errors import SecretUnavailable
from fleet.secrets import (
    MAX_BYTES,
    Command,
    File,
    Keyring,
    SecretRef,
    Variable,
    exposure,
    reference,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary-4711-do-not-print"


class Wallet(keyring.backend.KeyringBackend):
    """A keyring in memory; the service `locked` refuses."""

    priority = 1  # pyright: ignore[reportAssignmentType] - keyring's own idiom

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise keyring.errors.KeyringLocked(CANARY)
        return CANARY if (service, username) == ("https://mdm.example/api", "fleet") else None

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002 - the interface
        raise AssertionError("nobody writes into the keyring")


def python(code: str) -> Command:
    return Command(sys.executable, ("-c", code))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"env": "JAMF_SECRET"}, Variable("JAMF_SECRET")),
        ({"file": "jamf.txt"}, File(Path("jamf.txt"))),
        ({"command": ["op", "read", "op://vault/jamf"]}, Command("op", ("read", "op://vault/jamf"))),
        ({"keyring": "https://mdm.example/api/fleet"}, Keyring("https://mdm.example/api", "fleet")),
    ],
)
def test_a_reference_is_read(written: object, expected: SecretRef) -> None:
    """Each of the four ways to point at a secret is understood."""
    assert reference(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        CANARY,
        [CANARY],
        4711,
        {},
        {CANARY: "x"},
        {"env": "A", "file": "b"},
        {"env": CANARY},
        {"env": 3},
        {"file": ""},
        {"file": f"{CANARY}\0"},
        {"command": CANARY},
        {"command": []},
        {"command": ["", CANARY]},
        {"command": ["op", 3]},
        {"command": ["op", f"{CANARY}\0"]},
        {"keyring": CANARY},
        {"keyring": f"{CANARY}/"},
    ],
)
def test_what_is_no_reference_is_refused_unseen(written: object) -> None:
    """A literal secret, or a reference out of shape, is refused with the four ways out, unrepeated."""
    with pytest.raises(ValueError, match=r"secret|reference") as caught:
        reference(written)
    message = str(caught.value)
    assert all(way in message for way in ("{ env =", "{ file =", "{ command =", "{ keyring ="))
    assert CANARY not in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        (b" s3cret ", " s3cret "),
        (b"\xef\xbb\xbfs3cret", "s3cret"),
        ("pässword".encode(), "pässword"),
        (b"x" * MAX_BYTES, "x" * MAX_BYTES),
    ],
)
def test_a_file_gives_its_text_without_one_newline(tmp_path: Path, content: bytes, expected: str) -> None:
    """Editors end files with a newline and may begin them with a mark; neither is secret."""
    (tmp_path / "secret.txt").write_bytes(content)
    assert resolve(File(Path("secret.txt")), {}, tmp_path) == SecretStr(expected)


def test_variable_command_and_absolute_file_give_their_secret(tmp_path: Path) -> None:
    """The three other ways lead to the same value; a program gets environment and folder."""
    (tmp_path / "secret.txt").write_text(CANARY)
    program = python("import os; print(os.environ['PREFIX'] + open('secret.txt').read())")
    environ = {**os.environ, "JAMF_SECRET": f"{CANARY}\n", "PREFIX": "op:"}
    assert resolve(Variable("JAMF_SECRET"), environ, tmp_path).get_secret_value() == CANARY
    assert resolve(File(tmp_path / "secret.txt"), {}, Path("/")).get_secret_value() == CANARY
    assert resolve(program, environ, tmp_path).get_secret_value() == f"op:{CANARY}"


def test_a_command_is_not_given_to_a_shell(tmp_path: Path) -> None:
    """What a shell would run or expand arrives at the program as it was written."""
    program = Command(sys.executable, ("-c", "import sys; print(sys.argv[1])", "$HOME; `id` | cat"))
    assert resolve(program, {}, tmp_path).get_secret_value() == "$HOME; `id` | cat"


def test_a_command_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that waits for an answer costs its time limit and not the night; its output stays unseen."""
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.5)
    ref = python(f"print('{CANARY}', flush=True)\nwhile True: pass")
    with pytest.raises(SecretUnavailable, match="did not end within") as caught:
        resolve(ref, {}, tmp_path)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(
    ("ref", "fragments"),
    [
        (Variable("UNSET"), ["variable UNSET is not set", "set it"]),
        (Variable("EMPTY"), ["variable EMPTY is empty"]),
        (File(Path("missing.txt")), ["file missing.txt does not exist"]),
        (File(Path()), ["file . cannot be read"]),
        (File(Path("empty.txt")), ["file empty.txt is empty"]),
        (File(Path("large.txt")), ["file large.txt", "64 KiB"]),
        (File(Path("latin.txt")), ["file latin.txt", "UTF-8"]),
        (Command("no-such-program-4711", (CANARY,)), ["program no-such-program-4711 cannot be run"]),
        (python(f"print('{CANARY}'); raise SystemExit(3)"), ["exit status 3"]),
        (python(f"import sys; print('{CANARY}', file=sys.stderr)"), ["is empty"]),
        (python(f"print('{CANARY}' * 9999)"), ["64 KiB"]),
        (python(f"import sys; sys.stdout.buffer.write(b'{CANARY}\\xff')"), ["UTF-8"]),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(
    tmp_path: Path, ref: SecretRef, fragments: list[str]
) -> None:
    """The admin learns which reference failed and how; neither content nor output nor arguments get out."""
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "large.txt").write_text(CANARY + "x" * MAX_BYTES)
    (tmp_path / "latin.txt").write_bytes(CANARY.encode() + b"\xff")
    with pytest.raises(SecretUnavailable) as caught:
        resolve(ref, {"EMPTY": ""}, tmp_path)
    assert all(fragment in str(caught.value) for fragment in fragments)
    told = "".join(traceback.format_exception_only(caught.value))
    behind = caught.value.__cause__ or caught.value.__context__
    assert CANARY not in told + repr(ref) + repr(behind and vars(behind)) + repr(behind)


def test_a_keyring_entry_gives_its_secret(tmp_path: Path, wallet: Wallet) -> None:
    """A service may be an address: only the last slash parts it from its user."""
    ref = reference({"keyring": "https://mdm.example/api/fleet"})
    assert resolve(ref, {}, tmp_path).get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("service", "fragment"), [("other", "keyring entry other/fleet does not exist"), ("locked", "unlock")]
)
def test_a_keyring_without_the_entry_is_named(
    tmp_path: Path, wallet: Wallet, service: str, fragment: str
) -> None:
    """An entry that is missing and a keyring that is locked are told apart."""
    with pytest.raises(SecretUnavailable) as caught:
        resolve(Keyring(service, "fleet"), {}, tmp_path)
    assert fragment in str(caught.value)
    assert CANARY not in str(caught.value)


def test_without_the_keyring_package_the_way_to_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever refers to a keyring without the extra is told what to install."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretUnavailable, match=r'pip install "fleetkeep\[keyring\]"'):
        resolve(Keyring("jamf", "fleet"), {}, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
@pytest.mark.parametrize(("mode", "exposed"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_file_that_everyone_can_read_is_remarked(tmp_path: Path, mode: int, *, exposed: bool) -> None:
    """A secret that every account of the computer can read is remarked, one shared with a group is not."""
    path = tmp_path / "secret.txt"
    path.write_text(CANARY)
    path.chmod(mode)
    note = exposure(File(Path("secret.txt")), tmp_path)
    assert (note is not None and "secret.txt" in note and "chmod" in note) is exposed


@pytest.mark.parametrize("ref", [Variable("X"), File(Path("missing.txt")), Command("op"), Keyring("a", "b")])
def test_only_a_file_that_is_there_can_be_exposed(tmp_path: Path, ref: SecretRef) -> None:
    """No remark is made about what has no mode."""
    assert exposure(ref, tmp_path) is None


@pytest.fixture
def wallet() -> Iterator[Wallet]:
    """A keyring backend for the test, in place of the computer's own."""
    before = keyring.get_keyring()
    backend = Wallet()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)
