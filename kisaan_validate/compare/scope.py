"""What a comparison of two databases reads, what it only counts, and what it leaves aside: one table for
code, docs and tests.

``tests/test_schema_compared.py`` holds it against the catalogues of real servers: a catalogue or a column
that a new version brings makes it red. What is only counted is named beside every verdict, so that no
"same" says more than was compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import NotCompared
from kisaan_validate.facts.table import SchemaObject

COUNTED, DATABASE = "counted", "database"
"""Kinds of the facts in a reading that are no objects: how many there are of what is not read, what the
database is like.
"""

WHAT_ELSE = "what else there is"
"""How a reading names it where the uncompared could not be counted."""


@dataclass(frozen=True)
class CountedKind:
    """A kind of things that no comparison reads. ``catalogues`` are where the server keeps them.
    ``content``: a dump of the database carries them, so another number is a difference of what the
    databases hold."""

    name: str
    catalogues: tuple[str, ...]
    content: bool = True


NOT_READ = (
    CountedKind("publications", ("pg_publication", "pg_publication_rel", "pg_publication_namespace")),
    CountedKind("subscriptions", ("pg_subscription", "pg_subscription_rel")),
    CountedKind("large objects", ("pg_largeobject", "pg_largeobject_metadata")),
    CountedKind("casts", ("pg_cast",)),
    CountedKind("languages", ("pg_language",)),
    CountedKind("transforms", ("pg_transform",)),
    CountedKind("access methods", ("pg_am",)),
    CountedKind("foreign data wrappers", ("pg_foreign_data_wrapper",)),
    CountedKind("foreign servers", ("pg_foreign_server",)),
    CountedKind("user mappings", ("pg_user_mapping",)),
    CountedKind("operators", ("pg_operator",)),
    CountedKind("operator classes", ("pg_opclass",)),
    CountedKind("operator families", ("pg_opfamily", "pg_amop", "pg_amproc")),
    CountedKind("collations", ("pg_collation",)),
    CountedKind("conversions", ("pg_conversion",)),
    CountedKind("text search configurations", ("pg_ts_config", "pg_ts_config_map")),
    CountedKind("text search dictionaries", ("pg_ts_dict",)),
    CountedKind("text search parsers", ("pg_ts_parser",)),
    CountedKind("text search templates", ("pg_ts_template",)),
    CountedKind("base types", ()),
    CountedKind("security labels", ("pg_seclabel", "pg_shseclabel")),
    CountedKind("privileges changed on what the server or an extension brought", ("pg_init_privs",)),
    CountedKind("comments on attributes of types and on constraints of domains", ()),
    CountedKind("materialized views, their rows", (), content=False),
    CountedKind("names of NOT NULL constraints", (), content=False),
    CountedKind("settings by ALTER DATABASE or ALTER ROLE", ("pg_db_role_setting",), content=False),
    CountedKind("grants on the database", (), content=False),
    CountedKind("comments on the database", ("pg_shdescription",), content=False),
    CountedKind("other schemas", (), content=False),
)
"""Every kind that is not read, in the order in which it is reported."""

OF_DATABASE = (
    "encoding",
    "locale provider",
    "collation",
    "character classes",
    "locale",
    "ICU rules",
    "collation version",
)
"""What the database as a whole is like, by which the same query can answer differently."""

BY_EARLIER_VERSIONS = frozenset(
    {
        ("column", "storage"),
        ("column", "compression"),
        ("column", "statistics"),
        ("column", "planner options"),
        ("table", "access method"),
        ("table", "tablespace"),
        ("table", "toast options"),
        ("materialized view", "access method"),
        ("materialized view", "tablespace"),
        ("materialized view", "toast options"),
        ("index", "tablespace"),
        ("index", "statistics"),
        ("index", "attached to"),
        ("function", "support"),
        ("function", "transforms"),
        ("function", "inverse function"),
        ("function", "moving final function"),
        ("function", "serial function"),
        ("function", "deserial function"),
        ("function", "moving state type"),
        ("function", "moving initial value"),
        ("function", "aggregate options"),
    }
)
"""(kind, fact) that baselines of earlier versions do not hold."""

_EARLIER = NotCompared(
    "storage, compression, statistics targets and order of columns, tablespaces, access methods, grants "
    "on types, and all that is "
    "only counted",
    "not recorded: the baseline was taken by an earlier version",
    "",
)


def is_earlier(objects: Iterable[SchemaObject]) -> bool:
    """Whether a reading of the catalogue was made by a version that did not read all that this one does."""
    columns = [item for item in objects if item.kind == "column"]
    # Positions came with the last extension of what is read.
    return bool(columns) and not any("position" in item.facts for item in columns)


def not_compared(before: Iterable[SchemaObject], after: Iterable[SchemaObject]) -> tuple[NotCompared, ...]:
    """What there is on either side that was counted and not compared, and in what the databases as a whole
    are not alike.
    """
    old, new = list(before), list(after)
    if is_earlier(old) or is_earlier(new):
        return (_EARLIER,)
    left, right = _told(old), _told(new)
    # One side has nothing: a comparison of the other with nothing would be all differences.
    if not left or not right:  # what hid it is reported as unknown, or it was not asked for
        return ()
    found = [_counted(kind, left.get(kind.name, ""), right.get(kind.name, "")) for kind in NOT_READ]
    found += [_of_database(name, left.get(name, ""), right.get(name, "")) for name in OF_DATABASE]
    return tuple(item for item in found if item is not None)


def _told(objects: Iterable[SchemaObject]) -> Mapping[str, str]:
    """What a side says of each: a number, names with a number, or a text."""
    # What a side calls by name says more than how many there are.
    return {o.name: o.facts.get("which") or o.facts["is"] for o in objects if o.kind in {COUNTED, DATABASE}}


def _of_database(name: str, before: str, after: str) -> NotCompared | None:
    """None if both databases are alike. A collation version that one side does not record (before 15) says
    nothing.
    """
    # Before 15 the server keeps none.
    if before == after or (name == "collation version" and "none" in (before, after)):
        return None
    return NotCompared(f"{name} of the database", before, after, judged=True)


def _counted(kind: CountedKind, before: str, after: str) -> NotCompared | None:
    """None if there is nothing of the kind on either side."""
    if before in ("", "0") and after in ("", "0"):
        return None
    # What no dump carries differs in every restored database.
    return NotCompared(kind.name, before or "0", after or "0", judged=kind.content and before != after)


# --- the server's catalogues, column by column ------------------------------------------------------------

READ = "read"
_OID, _KEY = "names an object by number, for the server itself", "says what the row belongs to"
_DERIVED, _SERVER = "follows from what is read", "belongs to the server, not to the database"
_INTERNAL = "the server's own bookkeeping, another after each VACUUM, rewrite or restore"
_WHOLE = "how the database as a whole is run; no dump of it carries that"
_INHERITED = "whether a column or constraint is the table's own too: it is, or its parent's is read"

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "pg_class": {
        READ: "relname relnamespace reloftype relowner relam reltablespace reltoastrelid relpersistence "
        "relkind relrowsecurity "
        "relforcerowsecurity relispopulated relreplident relispartition relacl reloptions relpartbound",
        _OID: "oid reltype relfilenode",
        _INTERNAL: "relpages reltuples relallvisible relallfrozen relhassubclass relrewrite relfrozenxid "
        "relminmxid relisshared",
        _DERIVED: "relhasindex relnatts relchecks relhasrules relhastriggers",
    },
    "pg_attribute": {
        READ: "attrelid attname atttypid attnum atttypmod attstorage attcompression attnotnull "
        "attidentity attgenerated attisdropped "
        "attcollation attstattarget attacl attoptions attfdwoptions",
        _DERIVED: "attlen attndims attbyval attalign atthasdef",
        _INTERNAL: "attcacheoff atthasmissing attmissingval",
        _INHERITED: "attislocal attinhcount",
    },
    "pg_attrdef": {READ: "adrelid adnum adbin", _OID: "oid"},
    "pg_type": {
        READ: "typname typnamespace typowner typtype typrelid typstorage typnotnull typbasetype "
        "typtypmod typcollation typdefaultbin "
        "typacl",
        _OID: "oid",
        _DERIVED: "typlen typbyval typisdefined typndims typdefault typarray typsubscript typelem typalign",
        "only base types have it, and these are counted": "typcategory typispreferred typdelim typinput "
        "typoutput typreceive typsend "
        "typmodin typmodout typanalyze",
    },
    "pg_enum": {READ: "enumtypid enumsortorder enumlabel", _OID: "oid"},
    "pg_range": {
        READ: "rngtypid rngsubtype rngcollation rngsubopc rngcanonical rngsubdiff",
        "the multirange is made with its range type, and named after it unless it was told": "rngmultitypid",
    },
    "pg_constraint": {
        READ: "conname contype conenforced convalidated conrelid contypid conparentid conkey "
        "connoinherit connamespace",
        "printed by pg_get_constraintdef": "condeferrable condeferred confrelid confupdtype confdeltype "
        "confmatchtype conperiod "
        "confkey confdelsetcols conexclop conbin conpfeqop conppeqop conffeqop conindid",
        _OID: "oid",
        _INHERITED: "conislocal coninhcount",
    },
    "pg_index": {
        READ: "indexrelid indrelid indisclustered indisvalid indisready indislive indisreplident",
        "printed by pg_get_indexdef": "indnatts indnkeyatts indisunique indnullsnotdistinct indkey "
        "indcollation indclass indoption "
        "indexprs indpred",
        "printed by pg_get_constraintdef": "indisprimary indisexclusion indimmediate",
        _INTERNAL: "indcheckxmin",
    },
    "pg_trigger": {
        READ: "tgrelid tgparentid tgname tgenabled tgisinternal tgconstraint",
        "printed by pg_get_triggerdef": "tgfoid tgtype tgconstrrelid tgconstrindid tgdeferrable "
        "tginitdeferred tgnargs tgattr tgargs "
        "tgqual tgoldtable tgnewtable",
        _OID: "oid",
    },
    "pg_rewrite": {
        READ: "rulename ev_class ev_enabled",
        "printed by pg_get_ruledef": "ev_type is_instead ev_qual ev_action",
        _OID: "oid",
    },
    "pg_policy": {READ: "polname polrelid polcmd polpermissive polroles polqual polwithcheck", _OID: "oid"},
    "pg_statistic_ext": {
        READ: "stxrelid stxname stxnamespace stxowner stxstattarget",
        "printed by pg_get_statisticsobjdef": "stxkeys stxkind stxexprs",
        _OID: "oid",
    },
    "pg_sequence": {READ: "seqrelid seqtypid seqstart seqincrement seqmax seqmin seqcache seqcycle"},
    "pg_proc": {
        READ: "proname pronamespace proowner prolang procost prorows prosupport prokind prosecdef "
        "proleakproof proisstrict proretset "
        "provolatile proparallel proargtypes protrftypes prosrc probin prosqlbody proconfig proacl",
        "printed by pg_get_function_arguments and pg_get_function_result": "provariadic pronargs "
        "pronargdefaults prorettype "
        "proallargtypes proargmodes proargnames proargdefaults",
        _OID: "oid",
    },
    "pg_aggregate": {
        READ: "aggfnoid aggkind aggtransfn aggfinalfn aggcombinefn aggserialfn aggdeserialfn aggmtransfn "
        "aggminvtransfn aggmfinalfn "
        "aggfinalextra aggmfinalextra aggfinalmodify aggmfinalmodify aggsortop aggtranstype "
        "aggtransspace aggmtranstype "
        "aggmtransspace agginitval aggminitval",
        "printed by pg_get_function_arguments": "aggnumdirectargs",
    },
    "pg_namespace": {READ: "nspname nspowner nspacl", _OID: "oid"},
    "pg_extension": {
        READ: "extname extowner extnamespace extversion",
        _OID: "oid",
        "the version says it": "extrelocatable extconfig extcondition",
    },
    "pg_event_trigger": {READ: "evtname evtevent evtowner evtfoid evtenabled evttags", _OID: "oid"},
    "pg_default_acl": {READ: "defaclrole defaclnamespace defaclobjtype defaclacl", _OID: "oid"},
    "pg_inherits": {READ: "inhrelid inhparent inhseqno inhdetachpending"},
    "pg_foreign_table": {READ: "ftrelid ftserver ftoptions"},
    "pg_partitioned_table": {
        "printed by pg_get_partkeydef": "partstrat partnatts partattrs partclass partcollation partexprs",
        _KEY: "partrelid",
        _DERIVED: "partdefid",
    },
    "pg_description": {
        "printed by obj_description and col_description": "objoid classoid objsubid description"
    },
    "pg_database": {
        READ: "datname encoding datlocprovider datcollate datctype datlocale daticulocale daticurules "
        "datcollversion datacl",
        _OID: "oid",
        _WHOLE: "datdba datistemplate datallowconn datconnlimit dattablespace",
        _INTERNAL: "datfrozenxid datminmxid datlastsysoid",
        _DERIVED: "dathasloginevt",
    },
}
"""Every column of every catalogue whose objects are compared: read, printed by a function of the server,
or why it is left aside.
"""

ASIDE: Mapping[str, str] = {
    "pg_authid": _SERVER,
    "pg_auth_members": _SERVER,
    "pg_tablespace": _SERVER,
    "pg_parameter_acl": _SERVER,
    "pg_replication_origin": _SERVER,
    "pg_depend": _DERIVED,
    "pg_shdepend": _DERIVED,
    "pg_statistic": "gathered by ANALYZE",
    "pg_statistic_ext_data": "gathered by ANALYZE",
}
"""Catalogues that no comparison reads and no output mentions, and why."""
