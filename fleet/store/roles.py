"""Roles with no more rights than their work takes, as a script for PostgreSQL's `psql`.

Three: the owner makes and upgrades the schema; the collector writes nights and changes no table; the reader makes
reports and exports, writes nothing, and has no access to the key of redacted reports.
"""

from __future__ import annotations

from fleet.store import tables as t

_VERSION = "alembic_version"
"""Alembic's own table: which revision the schema is at."""
_WRITING = "SELECT, INSERT, UPDATE, DELETE"


def script(prefix: str) -> str:
    """SQL that makes the roles `<prefix>_owner`, `_collector` and `_reader`, and sets their rights.

    It may be run again at any time; what is right already stays. A table that is not there yet is passed over.

    Args:
        prefix: small letters, digits and underscores, so that nothing needs quoting.
    """
    rights = "\n".join(f"    {row}" for row in _rows())
    return _SCRIPT.format(
        owner=f"{prefix}_owner", collector=f"{prefix}_collector", reader=f"{prefix}_reader", rights=rights
    )


def _rows() -> list[str]:
    """Of each table what collector and reader may do, as the rows of a list of VALUES."""
    rows = [
        f"('{name}', '{_collector(name)}', '{'' if name == t.token_key.name else 'SELECT'}')"
        for name in sorted({*t.metadata.tables, _VERSION})
    ]
    return [f"{row}," for row in rows[:-1]] + rows[-1:]


def _collector(name: str) -> str:
    if name == _VERSION:
        return "SELECT"
    return "SELECT, INSERT" if name == t.token_key.name else _WRITING


_SCRIPT = """\
-- The roles of fleetkeep's PostgreSQL database, each with no more rights than its work takes:
--   {owner}      makes and upgrades the schema: `fleetkeep db upgrade`
--   {collector}  writes nights: `fleetkeep run`, `db prune`, `forget`; changes no table
--   {reader}     makes reports: `fleetkeep report`, `export`, `device`, `status`; writes nothing, and cannot read
--                         the key that turns the tokens of redacted reports back into people
-- Run it in fleetkeep's own database, as a superuser or as a role that owns the database and may create roles:
--   fleetkeep db roles | psql -v ON_ERROR_STOP=1 -d fleetkeep
-- once before the first `fleetkeep db upgrade` as {owner}, and again after it and after every later one.
-- The roles have no password yet: \\password {collector} (in psql), or a certificate.

BEGIN;

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['{owner}', '{collector}', '{reader}'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role);
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
  END LOOP;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    GRANT {owner} TO CURRENT_USER;  -- whoever sets the rights of its tables has to be a member
  END IF;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('ALTER ROLE {reader} IN DATABASE %I SET default_transaction_read_only = on', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {collector}, {reader};

-- Tables that a later upgrade makes: the collector goes on without this script, the reader sees none before it.
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {collector};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
  GRANT USAGE ON SEQUENCES TO {collector};

DO $$
DECLARE
  known record;
BEGIN
  FOR known IN SELECT * FROM (VALUES
{rights}
  ) AS rights (name, collector, reader) WHERE to_regclass('public.' || name) IS NOT NULL LOOP
    EXECUTE format('ALTER TABLE public.%I OWNER TO {owner}', known.name);
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, {collector}, {reader}', known.name);
    EXECUTE format('GRANT %s ON public.%I TO {collector}', known.collector, known.name);
    IF known.reader <> '' THEN
      EXECUTE format('GRANT %s ON public.%I TO {reader}', known.reader, known.name);
    END IF;
  END LOOP;
END
$$;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {collector};

COMMIT;
"""
