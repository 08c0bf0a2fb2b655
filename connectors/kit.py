"""The public door for whoever writes a connector in a package of their own: all that one is made of.

What stands here keeps its name and meaning within a major version; modules with an underscore do not promise that.
`connectors.contract` holds the tests that a connector has to pass.
"""

from connectors import _pages as pages
from connectors import _rows as rows
from connectors import _wire as wire
from connectors._auth import FetchedToken, FixedHeaders, Token, basic, bearer
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._http import Answer, Api, RateLimit, open_api, origin_url
from connectors._one_by_one import OneByOne
from connectors._probe import anything, tried
from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NEVER, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Fact, Gap
from fleet.model.run import Trouble

__all__ = [
    "ABSENT",
    "NEVER",
    "NOT_PERMITTED",
    "NOT_REPORTED",
    "UNREADABLE",
    "Answer",
    "Api",
    "Connector",
    "DeviceRecord",
    "Enrollment",
    "Fact",
    "FetchedToken",
    "FixedHeaders",
    "Gap",
    "OneByOne",
    "Ownership",
    "Page",
    "Permission",
    "Platform",
    "RateLimit",
    "Rejected",
    "SourceSettings",
    "Surroundings",
    "Token",
    "Trouble",
    "anything",
    "basic",
    "bearer",
    "open_api",
    "origin_url",
    "pages",
    "rows",
    "tried",
    "wire",
]
