"""Units of every scheduler: read back by those who read them, whatever the paths are called."""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import SettingsError
from fleet.schedule.job import CREDENTIALS, Job, Secret
from fleet.schedule.registry import SCHEDULERS
from fleet.secrets import File, Variable

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
ROOT = Path(__file__).parent.parent.parent

JOB = Job(
    program="/opt/fleetkeep/bin/fleetkeep",
    settings="/etc/fleetkeep/fleetkeep.toml",
    settings_text='[report]\ntitle = "Tablets"\n',
    folder="/etc/fleetkeep",
    log="/var/lib/fleetkeep/fleetkeep.log",
    writable=("/var/lib/fleetkeep", "/srv/reports"),
    user="fleetkeep",
    user_named=False,
    at=time(2, 5),
    secrets=(),
    caches=False,
    image="registry.example/fleetkeep:1",
)

names = st.text(st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]) | st.just(" "), min_size=1)


def units(kind: str, job: Job) -> dict[str, str]:
    return {unit.name: unit.text for unit in SCHEDULERS[kind].units_of(job)}


def placed(folder: str) -> Job:
    """A job whose every path lies in `folder`."""
    return replace(
        JOB,
        program=f"{folder}/fleetkeep",
        settings=f"{folder}/fleetkeep.toml",
        folder=folder,
        log=f"{folder}/fleetkeep.log",
        writable=(folder,),
    )


def words_of_cron(text: str) -> tuple[list[str], str]:
    """What cron reads: five fields, and the command with its % restored."""
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    *fields, command = line.split(maxsplit=5)
    assert not re.search(r"(?<!\\)%", command), "a bare % ends a cron line"
    return fields, command.replace("\\%", "%")


@given(name=names)
def test_a_property_list_carries_any_path(name: str) -> None:
    """Whatever a Mac's folder is called, launchd starts that very program in that very folder."""
    job = placed(f"/{name}")
    plist: dict[str, Any] = plistlib.loads(units("launchd", job)["fleetkeep.nightly.plist"].encode())
    assert plist["ProgramArguments"] == [job.program, "--config", job.settings, "run"]
    assert plist["WorkingDirectory"] == job.folder
    assert plist["StandardErrorPath"] == job.log
    assert plist["StartCalendarInterval"] == {"Hour": 2, "Minute": 5}


@given(name=names)
def test_a_task_carries_any_path_that_windows_can_have(name: str) -> None:
    """The task names program, settings and log in quotes; what cmd.exe would expand is refused."""
    job = placed(rf"C:\{name}")
    if {"%", '"'} & set(name):
        with pytest.raises(SettingsError, match="cannot carry"):
            units("windows", job)
        return
    task = ET.fromstring(units("windows", job)["fleetkeep.xml"])  # noqa: S314 - our own
    arguments = task.findtext(f".//{TASK}Arguments") or ""
    inner = re.fullmatch(r'/d /s /c "(.*)"', arguments)
    assert inner is not None
    assert inner[1] == f'"{job.program}" --config "{job.settings}" run >>"{job.log}" 2>&1'
    assert task.findtext(f".//{TASK}WorkingDirectory") == job.folder
    assert task.findtext(f".//{TASK}StartBoundary", "").endswith("T02:05:00")


@given(name=names)
def test_a_cron_line_carries_any_path(name: str) -> None:
    """After cron's own % and the shell's quotes, the words are the paths."""
    if "\\" in name:
        return
    job = placed(f"/{name}")
    fields, command = words_of_cron(units("cron", job)["fleetkeep.cron"])
    assert fields == ["5", "2", "*", "*", "*"]
    words = shlex.split(command)
    assert words[words.index("cd") + 1] == job.folder
    assert words[words.index("--config") - 1 :][:4] == [job.program, "--config", job.settings, "run;"]


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t #:'\"")))
def test_a_manifest_carries_any_settings(text: str) -> None:
    """The settings arrive in the pod letter by letter, comments, tabs and odd blanks included."""
    (manifest,) = units("kubernetes", replace(JOB, settings_text=text)).values()
    settings, *_ = yaml.safe_load_all(manifest)
    assert settings["data"]["fleetkeep.toml"].rstrip("\n") == text.rstrip("\n")


def test_a_cron_line_tells_of_failure_and_is_quiet_else(tmp_path: Path) -> None:
    """Through a real shell: the log takes all output; what cron would mail is nothing, or the exit code."""
    folder = tmp_path / "a 50% $HOME 'folder'"
    folder.mkdir()
    program = folder / "fleetkeep"
    program.write_text("#!/bin/sh\npwd; echo out; echo err >&2; exit ${FAKE_CODE}\n")
    program.chmod(0o700)
    _, command = words_of_cron(units("cron", placed(str(folder)))["fleetkeep.cron"])
    for code, mailed in (("0", ""), ("3", "ended with exit code 3"), ("6", "ended with exit code 6")):
        ended = subprocess.run(
            ["/bin/sh", "-c", command],
            env={**os.environ, "FAKE_CODE": code},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (mailed in ended.stdout) if mailed else not ended.stdout
        assert not ended.stderr
    log = (folder / "fleetkeep.log").read_text()
    assert log.count("out\nerr\n") == 3
    assert str(folder) in log
    assert (folder / "fleetkeep.log").stat().st_mode & 0o077 == 0


def test_another_account_makes_it_a_file_for_the_system() -> None:
    """/etc/cron.d has one column more: who it runs as."""
    (text,) = units("cron", replace(JOB, user_named=True)).values()
    _, command = words_of_cron(text)
    assert command.startswith("fleetkeep umask 077; ")


@pytest.mark.parametrize("folder", ["plain", "a blank", "50% of $HOME; rm", "für Ältere"])
def test_systemd_takes_the_units(tmp_path: Path, folder: str) -> None:
    """`systemd-analyze verify` has nothing to say about service and timer."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    home = tmp_path / folder
    home.mkdir()
    shutil.copy(shutil.which("true") or "/bin/true", home / "fleetkeep")
    secret = Secret("hq-client_secret", File(Path(f"{CREDENTIALS}hq")))
    job = replace(placed(str(home)), user="daemon", secrets=(secret, Secret("b-key", Variable("B_KEY"))))
    written = units("systemd", job)
    for name, text in written.items():
        (tmp_path / name).write_text(text, "utf-8")
    ended = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in written)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_service_is_confined_and_its_failures_show() -> None:
    """It may write its database and reports alone; exit code 3 is a success with a warning, and nothing else is."""
    service = units("systemd", JOB)["fleetkeep.service"].splitlines()
    assert {
        "ReadWritePaths=/var/lib/fleetkeep",
        "ReadWritePaths=/srv/reports",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "NoNewPrivileges=yes",
        "UMask=0077",
        "SuccessExitStatus=3",
    } <= set(service)
    (after,) = [line for line in service if line.startswith("ExecStopPost=")]
    script = shlex.split(after.removeprefix("ExecStopPost="))[-1].replace("$$", "$")
    for code, said in (("3", "<4>the night is incomplete"), ("0", ""), ("4", "")):
        ended = subprocess.run(
            ["/bin/sh", "-c", script], env={"EXIT_STATUS": code}, capture_output=True, text=True, check=True
        )
        assert ended.stdout.startswith(said)
        assert bool(ended.stdout) is bool(said)


def test_the_timer_makes_up_for_a_missed_night() -> None:
    """At the wished time, not at the same second everywhere, and later if the machine was off."""
    timer = units("systemd", JOB)["fleetkeep.timer"].splitlines()
    assert {"OnCalendar=*-*-* 02:05:00", "RandomizedDelaySec=15min", "Persistent=true"} <= set(timer)


@pytest.mark.parametrize(
    ("change", "there"),
    [
        ({"settings": "/home/anna/fleetkeep.toml"}, "ProtectHome=read-only"),
        ({"writable": ("/var/tmp/x",)}, "PrivateTmp=no"),  # noqa: S108 - a name
        ({"caches": True}, "CacheDirectory=fleetkeep"),
        ({"secrets": (Secret("a-key", Variable("A_KEY")),)}, "EnvironmentFile=/etc/fleetkeep/environment"),
        (
            {"secrets": (Secret("a-key", File(Path(f"{CREDENTIALS}mdm"))),)},
            "LoadCredential=mdm:/etc/fleetkeep/credentials/mdm",
        ),
        (
            {"secrets": (Secret("a-key", File(Path("/etc/key"))),)},
            '#   { file = "/run/credentials/fleetkeep.service/a-key" }',
        ),
    ],
)
def test_the_service_follows_the_settings(change: dict[str, Any], there: str) -> None:
    """Where things lie and where secrets come from decides what the service may see."""
    assert there in units("systemd", replace(JOB, **change))["fleetkeep.service"].splitlines()


def test_the_pod_is_confined_and_its_secrets_are_mounted() -> None:
    """Not root, a read-only root, no privileges; each secret where the settings look for it."""
    secrets = (
        Secret("a-key", File(Path("secrets/a"))),
        Secret("b-key", File(Path("/run/secrets/b"))),
        Secret("c-key", Variable("C_KEY")),
    )
    (manifest,) = units("kubernetes", replace(JOB, secrets=secrets)).values()
    settings, claim, job = yaml.safe_load_all(manifest)
    assert [one["kind"] for one in (settings, claim, job)] == [
        "ConfigMap",
        "PersistentVolumeClaim",
        "CronJob",
    ]
    assert job["spec"]["schedule"] == "5 2 * * *"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounts = {mount["mountPath"]: mount.get("subPath") for mount in container["volumeMounts"]}
    assert mounts["/data/secrets/a"] == "a-key"
    assert mounts["/run/secrets/b"] == "b-key"
    assert {"name": "secrets", "secret": {"secretName": "fleetkeep-secrets", "defaultMode": 0o440}} in pod[
        "volumes"
    ]
    assert {one["name"] for one in container["env"]} == {"HOME", "XDG_CACHE_HOME", "C_KEY"}


def test_pods_that_share_a_night() -> None:
    """Each index of the job is one share of the run that is named after the job; one pod alone asks for none of it."""
    _, claim, job = yaml.safe_load_all(units("kubernetes", replace(JOB, shards=4))["fleetkeep.yaml"])
    spec = job["spec"]["jobTemplate"]["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 4, 4)
    assert (spec["backoffLimitPerIndex"], "backoffLimit" in spec) == (2, False)
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    (container,) = spec["template"]["spec"]["containers"]
    (night,) = (one for one in container["env"] if one["name"] == "NIGHT")
    assert night["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/job-name']"
    _, _, alone = yaml.safe_load_all(units("kubernetes", JOB)["fleetkeep.yaml"])
    assert not {"completions", "completionMode"} & alone["spec"]["jobTemplate"]["spec"].keys()
    assert "--shard" not in yaml.safe_dump(alone)


@pytest.mark.parametrize(("code", "ends"), [("0", 0), ("3", 0), ("4", 4)])
def test_what_a_pod_of_several_runs(tmp_path: Path, code: str, ends: int) -> None:
    """Through a real shell: the third index of four asks for share 3/4 of the run with the job's name."""
    *_, job = yaml.safe_load_all(units("kubernetes", replace(JOB, shards=4))["fleetkeep.yaml"])
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    program = tmp_path / "fleetkeep"
    program.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    program.chmod(0o700)
    command = [part.replace("/dev/termination-log", str(tmp_path / "log")) for part in container["command"]]
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": "2", "NIGHT": "fleetkeep-29"}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == ends, ended.stderr
    assert ended.stdout.split()[-5:] == ["run", "--name", "fleetkeep-29", "--shard", "3/4"]


def test_the_image_is_what_the_pod_expects() -> None:
    """The container file ends as the pod's user, by number, in the pod's folder."""
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    last = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if re.match(r"[A-Z]+ ", line)}
    assert last["USER"] == "65532:65532"
    assert last["WORKDIR"] == "/data"
    assert last["ENTRYPOINT"] == '["fleetkeep"]'


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_a_path_that_would_break_a_line_is_refused(kind: str) -> None:
    """A newline in a path would be a line of its own in the unit."""
    with pytest.raises(SettingsError, match="cannot carry"):
        units(kind, placed("/etc/x\nExecStart=/bin/evil"))
