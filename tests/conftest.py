"""Fixtures that more than one folder of tests asks for."""

from tests.databases import cluster, database, place, postgresql, sqlite, sqlite_database, sqlite_pattern

__all__ = ["cluster", "database", "place", "postgresql", "sqlite", "sqlite_database", "sqlite_pattern"]
