"""What a night costs, on this machine, beside the least program that could do it and beside what else one would take.

    python -m tests.benchmarks                        # 10,000 and 100,000 devices, 30 nights, with peers
    python -m tests.benchmarks nights --devices 1000000 --nights 2 --latency 0 --peers-up-to 0
    python -m tests.benchmarks growth                 # a year of nights of a small fleet
    python -m tests.benchmarks start                  # how soon `--help` answers

The table goes to standard output, in Markdown, line by line as it grows; with `--write docs/performance.md` also into
that page, in place of what it said before. Everything lies in `--folder` (a temporary one if none is given); peers are
installed there, each into an environment of its own, and nowhere else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import nights
from tests.benchmarks.growth import year
from tests.benchmarks.machine import heading
from tests.benchmarks.start import start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(arguments: Sequence[str]) -> None:
    """Run what the arguments ask for."""
    options = _options(arguments)
    say = Transcript()
    say(f"{heading()}\n")
    with tempfile.TemporaryDirectory(prefix="fleetkeep-benchmark-") as temporary:
        folder = options.folder or Path(temporary)
        if options.what == "start":
            say(start())
        elif options.what == "growth":
            say(str(year(options.devices[0], options.nights, folder)))
        else:
            compare(
                nights.Plan(
                    sizes=tuple(options.devices),
                    latencies=tuple(options.latency),
                    nights=options.nights,
                    peers_up_to=options.peers_up_to,
                    folder=folder,
                ),
                say,
            )
    if options.write:
        rewrite(options.write, options.mark or options.what, "\n".join(say).strip())


class Transcript(list[str]):
    """Says each text at once, and remembers it."""

    def __call__(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        self.append(text)


def compare(plan: nights.Plan, say: Callable[[str], None]) -> None:
    """Print the table, and below it what has to be said beside."""
    beside: list[str] = []
    say(nights.HEAD)
    for line in nights.run(plan):
        if isinstance(line, str):
            beside.append(line)
            continue
        say(nights.row(line))
        beside += filter(None, [nights.waiting(line)])
    say("\n" + "\n".join(beside))


def rewrite(page: Path, mark: str, text: str) -> None:
    """Put the text between the marks that the page has for it."""
    before, begin, rest = page.read_text("utf-8").partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition(f"<!-- /{mark} -->")
    if not (begin and end):
        sys.exit(f"{page} has no marks <!-- {mark} --> and <!-- /{mark} -->")
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", "utf-8")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("nights", "growth", "start"), default="nights")
    parser.add_argument("--devices", type=int, nargs="+")
    parser.add_argument("--nights", type=int)
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 150], help="milliseconds a page")
    parser.add_argument(
        "--peers-up-to", type=int, default=100_000, help="the largest fleet; 0 leaves them out"
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page with marks for what comes out")
    parser.add_argument("--mark", help="the marks' name; usually what is run")
    options = parser.parse_args(arguments)
    year_long = options.what == "growth"
    options.devices = options.devices or ([400] if year_long else [10_000, 100_000])
    options.nights = options.nights or (365 if year_long else 30)
    return options


if __name__ == "__main__":
    main(sys.argv[1:])
