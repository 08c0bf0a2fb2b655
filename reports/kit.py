"""The public door for whoever writes a report format in a package of their own: all that one is made of.

What stands here keeps its name and meaning within a major version; modules with an underscore do not promise that.
"""

from fleet.model.device import Device
from fleet.model.device_report import DeviceReport
from fleet.model.fact import Gap, known
from fleet.model.finding import Finding, Severity, Status
from fleet.model.run import RunReport
from reports._csv import Table, guard
from reports._format import CheckText, Format, ReportContext, Writer, Written
from reports._plain import zulu
from reports.directory import writing

__all__ = [
    "CheckText",
    "Device",
    "DeviceReport",
    "Finding",
    "Format",
    "Gap",
    "ReportContext",
    "RunReport",
    "Severity",
    "Status",
    "Table",
    "Writer",
    "Written",
    "guard",
    "known",
    "writing",
    "zulu",
]
