"""Publishing: every wanted format listens to the same pass, then all files are put in place together."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from fleet.checks import FLEET_CHECKS, installed
from fleet.checks._check import Check
from fleet.model.brand import Brand
from reports._format import CheckText, Format, ReportContext, Writer, Written
from reports.directory import RunDirectory, writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from fleet.model.device_report import DeviceReport
    from fleet.model.policy import Policy
    from fleet.model.run import RunReport
    from fleet.nightly.judge import Listener


UNBRANDED = Brand()


class Publication:
    """The files of one run on their way into the report directory; use it in a `with` block.

    Raises:
        OutputError: the directory cannot be written to; what was there before is untouched.
    """

    def __init__(
        self, root: Path, as_of: datetime, formats: Sequence[Format], context: ReportContext
    ) -> None:
        self._root = root
        self._formats = formats
        self._context = context
        self._directory = RunDirectory(root, as_of)
        self._writers: list[Writer] = []
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._directory.__exit__(kind, error, trace)

    def device(self, report: DeviceReport) -> None:
        """Hand one device to every format."""
        with writing(self._root):
            for writer in self._writers:
                writer.device(report)

    def again(self) -> None:
        """Start every file over."""
        self._open()

    def publish(self, run: RunReport, *, as_latest: bool = True) -> Path:
        """Complete the files and put them in place; returns the run's directory."""
        written: list[Written] = []
        with writing(self._root):
            for writer in self._writers:
                written += writer.finish(run)
        return self._directory.publish(run.id, written, as_latest=as_latest)

    def _open(self) -> None:
        with writing(self._root):
            self._writers = [one.open(self._directory.path, self._context) for one in self._formats]


class Several:
    """A listener that lets others listen, each in turn."""

    def __init__(self, *others: Listener) -> None:
        self._others = others

    def device(self, report: DeviceReport) -> None:
        """Hand one device to each."""
        for other in self._others:
            other.device(report)

    def again(self) -> None:
        """Let each start over."""
        for other in self._others:
            other.again()


class Silence:
    """A listener for whoever wants the judgement without a report."""

    def device(self, report: DeviceReport) -> None:
        """Take no notice."""

    def again(self) -> None:
        """Take no notice."""


def context_of(policy: Policy, base_url: str, as_of: datetime, brand: Brand = UNBRANDED) -> ReportContext:
    """What formats may know beforehand."""
    return ReportContext(as_of=as_of, base_url=base_url, checks=texts_of(policy), brand=brand)


def texts_of(policy: Policy) -> dict[str, CheckText]:
    """The catalogue of checks by id, with this policy's thresholds in their rules."""
    thresholds = {name: f"{value:g}" for name, value in asdict(policy).items()}
    return {
        check.id: CheckText(
            id=check.id,
            title=check.title,
            rule=check.rule.format(**thresholds),
            basis=check.basis,
            clears=check.clears.format(**thresholds) if isinstance(check, Check) else "",
        )
        for check in (*installed(), *FLEET_CHECKS)
    }
