"""Prints, as constraints for pip, the lowest version of each dependency that pyproject.toml allows."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
extras = (line for name in ("postgres", "keyring", "parquet") for line in project["optional-dependencies"][name])
for line in (*project["dependencies"], *extras):
    if found := re.match(r"([\w-]+)(?:\[.*?\])?>=([\w.]+)", line):
        print(f"{found[1]}=={found[2]}")
