"""All rows of the fault table, in order."""

from __future__ import annotations

from tests.faults import hostile, machine, network, trouble

ROWS = tuple(sorted((*trouble.ROWS, *hostile.ROWS, *machine.ROWS, *network.ROWS), key=lambda row: row.number))
