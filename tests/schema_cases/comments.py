"""Comments on objects of every kind."""

from __future__ import annotations

from schema_cases.parts import RICH, case, turned

_COMMENTED = {
    "SCHEMA shop": ("schema", "", "shop"),
    "EXTENSION plpgsql": ("extension", "", "plpgsql"),
    "TABLE shop.p": ("table", "shop.p", "shop.p"),
    "FOREIGN TABLE ft": ("table", "ft", "ft"),
    "COLUMN t.b": ("column", "t", "b"),
    "COLUMN v.a": ("column", "v", "a"),
    "CONSTRAINT t_a ON t": ("constraint", "t", "t_a"),
    "INDEX t_some": ("index", "t", "t_some"),
    "TRIGGER tr ON t": ("trigger", "t", "tr"),
    "RULE r ON t": ("rule", "t", "r"),
    "POLICY pol ON t": ("policy", "t", "pol"),
    "STATISTICS st": ("statistics", "t", "st"),
    "SEQUENCE s": ("sequence", "s", "s"),
    "VIEW v": ("view", "v", "v"),
    "MATERIALIZED VIEW mv": ("materialized view", "mv", "mv"),
    "FUNCTION f(int)": ("function", "", "f(integer)"),
    "PROCEDURE pr(int)": ("function", "", "pr(integer)"),
    "AGGREGATE total(int)": ("function", "", "total(integer)"),
    "TYPE mood": ("enum", "", "mood"),
    "DOMAIN price": ("domain", "", "price"),
    "TYPE pair": ("composite type", "", "pair"),
    "TYPE span": ("range type", "", "span"),
    "EVENT TRIGGER et": ("event trigger", "", "et"),
}

COMMENTS = {
    f"a comment on {what}": case(
        RICH + f"COMMENT ON {what} IS 'old'",
        f"COMMENT ON {what} IS 'new'",
        f"COMMENT ON {what} IS 'old'",
        turned(*key, "comment"),
    )
    for what, key in _COMMENTED.items()
} | {
    "a comment taken away": case(
        RICH,
        "COMMENT ON TABLE t IS NULL",
        "COMMENT ON TABLE t IS 'a table'",
        turned("table", "t", "t", "comment"),
    )
}
