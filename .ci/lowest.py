"""Prints, as constraints for pip, the lowest version of each dependency that pyproject.toml allows."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
lines = [
    *project["dependencies"],
    *(line for name in ("postgres", "keyring", "parquet") for line in project["optional-dependencies"][name]),
]
found = (re.match(r"([\w-]+)(?:\[.*?\])?>=([\w.]+)", line) for line in lines)
sys.stdout.writelines(f"{one[1]}=={one[2]}\n" for one in found if one)
