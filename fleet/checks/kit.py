"""The public door for whoever writes a check in a package of their own: all that one is made of.

What stands here keeps its name and meaning within a major version; modules with an underscore do not promise that.
"""

from fleet.checks._check import Case, Check, Reading
from fleet.model.device import Device, Enrollment, Ownership, Platform
from fleet.model.fact import NEVER, Fact, Gap, need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Undetermined, Verdict
from fleet.model.policy import Policy

__all__ = [
    "CLEAR",
    "NEVER",
    "Basis",
    "Case",
    "Check",
    "Device",
    "Enrollment",
    "Fact",
    "Found",
    "Gap",
    "Ownership",
    "Platform",
    "Policy",
    "Reading",
    "Severity",
    "Undetermined",
    "Verdict",
    "need",
]
