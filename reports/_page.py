"""What every page is made of: templates that always escape, and files of its own, let in by their digests."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined


def templates(package: str, folder: str = "") -> Environment:
    """The templates in a package's folder, by their names; every value is escaped and has to be there."""
    return Environment(
        loader=FunctionLoader(lambda name: resource(package, folder + name)),
        autoescape=True,  # whatever the name: by file name, one that ends in .j2 would be left unescaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def resource(package: str, name: str) -> str:
    """The text of a file that lies in a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """What a content security policy lets one script or style in by: `sha256-…`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
