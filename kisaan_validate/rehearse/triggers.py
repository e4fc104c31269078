"""The event triggers that note every statement that changes the schema, and how they come and go.

They write one line of JSON each into the server's log, so that nothing is lost when a transaction is rolled
back. They live in a schema of ours, belong to the superuser, and fire whatever role migrates and whatever
``session_replication_role`` it sets (ENABLE ALWAYS).
"""

from __future__ import annotations

from typing import Any

EVENTS = ("ddl_command_start", "ddl_command_end", "table_rewrite", "sql_drop")

# SECURITY DEFINER, because only a superuser may turn the log of the function's own statements off. Generic
# plans in PL/pgSQL, because planning is most of what a note costs.
_FUNCTION = r"""
CREATE FUNCTION {schema}.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_statement = 'none' SET log_parser_stats = off SET log_min_duration_statement = -1
SET client_min_messages = error SET plan_cache_mode = force_generic_plan SET jit = off
AS $note$
DECLARE said jsonb; locks jsonb; more jsonb := '{{}}'; ids oid[];
BEGIN
  SELECT coalesce(jsonb_agg(jsonb_build_array(l.relation::bigint, l.mode, n.nspname, c.relname, c.relkind,
                                              i.indrelid::bigint)), '[]')
    INTO locks
    FROM pg_locks AS l LEFT JOIN pg_class AS c ON c.oid = l.relation
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
   WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND c.relkind IS DISTINCT FROM 't' AND n.nspname IS DISTINCT FROM 'pg_toast';
  IF TG_EVENT = 'ddl_command_start' THEN
    more := jsonb_build_object('limit', current_setting('lock_timeout'),
                               'zone', current_setting('TimeZone'));
  ELSIF TG_EVENT = 'table_rewrite' THEN
    more := jsonb_build_object('oid', pg_event_trigger_table_rewrite_oid()::bigint,
                               'reason', pg_event_trigger_table_rewrite_reason(),
                               'size', pg_total_relation_size(pg_event_trigger_table_rewrite_oid()));
  ELSIF TG_EVENT = 'sql_drop' THEN
    SELECT jsonb_build_object('dropped', coalesce(jsonb_agg(jsonb_build_array(d.object_type,
             d.object_identity, d.normal OR d.original, d.classid::bigint, d.objid::bigint,
             d.objsubid)), '[]'))
      INTO more FROM pg_event_trigger_dropped_objects() AS d
     WHERE d.object_type NOT IN ('type', 'toast table') AND d.schema_name IS DISTINCT FROM 'pg_toast';
  ELSE
    SELECT array_agg(DISTINCT CASE d.classid WHEN 'pg_class'::regclass THEN coalesce(i.indrelid, d.objid)
                                             WHEN 'pg_constraint'::regclass THEN k.conrelid
                                             WHEN 'pg_attrdef'::regclass THEN a.adrelid END)
      INTO ids FROM pg_event_trigger_ddl_commands() AS d
      LEFT JOIN pg_index AS i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
      LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
      LEFT JOIN pg_attrdef AS a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid;
    SELECT jsonb_build_object('created', coalesce(jsonb_agg(d.object_identity), '[]')) INTO more
      FROM pg_event_trigger_ddl_commands() AS d WHERE d.command_tag LIKE 'CREATE %';
    more := more || {schema}.state(ids);
  END IF;
  said := jsonb_build_object('event', TG_EVENT, 'tag', TG_TAG, 'locks', locks,
    'at', extract(epoch FROM clock_timestamp())::numeric,
    'wal', pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')) || more;
  RAISE LOG '%', '{token} ' || said::text;
END $note$
"""

_STATE = r"""
CREATE FUNCTION {schema}.state(ids oid[]) RETURNS jsonb LANGUAGE plpgsql STABLE
AS $state$ BEGIN RETURN (
  SELECT jsonb_build_object('tables', coalesce(jsonb_agg(jsonb_build_object(
      'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
      'size', pg_total_relation_size(c.oid), 'columns', (
        SELECT jsonb_agg(jsonb_build_array(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                                           a.attnotnull, coalesce(pg_get_expr(d.adbin, d.adrelid), ''))
                         ORDER BY a.attnum)
          FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
      'constraints', (
        SELECT jsonb_agg(jsonb_build_array(k.oid::bigint, k.conname, k.contype, pg_get_constraintdef(k.oid),
                                           k.convalidated))
          FROM pg_constraint AS k WHERE k.conrelid = c.oid))), '[]'))
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.oid = ANY (ids) AND c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S'));
END $state$
"""

ALL_TABLES = """
    SELECT array_agg(c.oid) FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S') AND n.nspname !~ '^(pg_|information_schema$)'
"""
"""The oids of all relations of people's schemas that hold or show rows."""


def schema_of(token: str) -> str:
    """The name of the schema in which our functions live."""
    return f"validate_tape_{token}"


def install(cursor: Any, token: str) -> None:
    """Create the schema, the functions and the triggers, as a superuser in autocommit."""
    schema = schema_of(token)
    statements = [
        f"CREATE SCHEMA {schema}",
        _STATE.format(schema=schema),
        _FUNCTION.format(schema=schema, token=token),
    ]
    for event in EVENTS:
        # The name puts ours last at the start and at the end of a statement: triggers fire by name.
        name = f"zz_{schema}_{event}"
        statements += [
            f"CREATE EVENT TRIGGER {name} ON {event} EXECUTE FUNCTION {schema}.note()",
            f"ALTER EVENT TRIGGER {name} ENABLE ALWAYS",
        ]
    for statement in statements:
        cursor.execute(statement)


def uninstall(cursor: Any, token: str) -> None:
    """Drop all that ``install`` made; what is not there any more is no error."""
    schema = schema_of(token)
    for event in EVENTS:
        cursor.execute(f"DROP EVENT TRIGGER IF EXISTS zz_{schema}_{event}")
    cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
