"""Plain values of the domain: facts, devices, findings, runs. Standard library only."""
