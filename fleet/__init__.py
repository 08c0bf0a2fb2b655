"""fleetkeep: which iPhones and iPads would lose data tonight, why, and who has to do what about it."""

__version__ = "0.1.0"
