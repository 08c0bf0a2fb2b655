"""All rows of the fault table, in order."""

from __future__ import annotations

from tests.faults import hostile, machine, network, processes, trouble

_ALL = (*trouble.ROWS, *hostile.ROWS, *machine.ROWS, *processes.ROWS, *network.ROWS)
ROWS = tuple(sorted(_ALL, key=lambda row: row.number))
