"""Ends a migration's session before its n-th change, whatever client runs it: by triggers in the copy.

A change is a statement that alters the schema (an event trigger sees it) or one that writes rows of a table
(a statement trigger on each table sees it, also on tables that the migration makes). Changes are counted by a
sequence, which no rollback turns back. Killed before a change, the database is as the change before it left
it; what was not committed is gone, as after a crash of the client or its server.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch

_MAKE = """
CREATE SCHEMA {s};
CREATE SEQUENCE {s}.count;
CREATE TABLE {s}.seen (number bigint, what text);
CREATE FUNCTION {s}.reach(what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $f$
DECLARE number bigint := nextval('{s}.count');
BEGIN
  IF number = {at} THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
    -- The signal is heard at the next chance; nothing may go on until then.
    PERFORM pg_sleep(60);
  END IF;
  INSERT INTO {s}.seen VALUES (number, what);
END $f$;
CREATE FUNCTION {s}.row_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $f$
BEGIN
  PERFORM {s}.reach(format('%s on %s', TG_OP, regexp_replace(TG_RELID::regclass::text, '^public[.]', '')));
  RETURN NULL;
END $f$;
CREATE FUNCTION {s}.watch(relation oid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $f$
BEGIN
  EXECUTE format('CREATE TRIGGER {s} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION {s}.row_change()', relation::regclass);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER {s}', relation::regclass);
END $f$;
CREATE FUNCTION {s}.schema_change() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $f$
BEGIN
  -- Our own CREATE TRIGGER is no change of the migration.
  IF current_setting('{s}.busy', true) IS DISTINCT FROM 'yes' THEN
    PERFORM {s}.reach(TG_TAG);
  END IF;
END $f$;
CREATE FUNCTION {s}.made() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $f$
DECLARE made record;
BEGIN
  IF current_setting('{s}.busy', true) = 'yes' THEN RETURN; END IF;
  PERFORM set_config('{s}.busy', 'yes', true);
  FOR made IN SELECT c.oid FROM pg_event_trigger_ddl_commands() d JOIN pg_class c ON c.oid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.command_tag LIKE 'CREATE TABLE%%'
      AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' LOOP
    PERFORM {s}.watch(made.oid);
  END LOOP;
  PERFORM set_config('{s}.busy', 'no', true);
END $f$;
SELECT {s}.watch(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%%'
  AND n.nspname NOT IN ('information_schema', '{s}');
CREATE EVENT TRIGGER {s}_before ON ddl_command_start EXECUTE FUNCTION {s}.schema_change();
CREATE EVENT TRIGGER {s}_after ON ddl_command_end EXECUTE FUNCTION {s}.made();
ALTER EVENT TRIGGER {s}_before ENABLE ALWAYS;
ALTER EVENT TRIGGER {s}_after ENABLE ALWAYS
"""

_UNMAKE = """
DROP EVENT TRIGGER IF EXISTS {s}_before;
DROP EVENT TRIGGER IF EXISTS {s}_after;
DROP SCHEMA IF EXISTS {s} CASCADE
"""
"""The triggers of tables go with the function that they call."""


@dataclass
class KillSwitch:
    """What was counted while it was there: each change in words, by number."""

    name: str
    changes: tuple[tuple[int, str], ...] = ()
    reached: int = 0


@contextmanager
def kill_switch(scratch: Scratch, database: str, at: int) -> Iterator[KillSwitch]:
    """Within, sessions that migrate ``database`` are ended before change ``at``; 0 only counts.

    Afterwards nothing of it is left in the database. Raises DatabaseError.
    """
    switch = KillSwitch(f"validate_{secrets.token_hex(6)}")
    # One statement each, so that its own making is seen by no trigger of its own.
    scratch.execute(_MAKE.format(s=switch.name, at=at).replace("%%", "%"), database)
    try:
        yield switch
        seen = scratch.execute(f"SELECT number, what FROM {switch.name}.seen ORDER BY number", database)
        switch.changes = tuple((int(number), str(what)) for number, what in seen)
        ((reached, called),) = scratch.execute(
            f"SELECT last_value, is_called FROM {switch.name}.count", database
        )
        switch.reached = int(reached) if called else 0
    finally:
        scratch.execute(_UNMAKE.format(s=switch.name), database)
