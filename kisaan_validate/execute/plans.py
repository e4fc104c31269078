"""What the planner of the server makes of a statement, read from EXPLAIN (FORMAT JSON). Pure.

A plan shows by which way each relation is read. Only a way that goes through all pages of the heap can be
trusted to have met every row: an index knows the rows that it knows (PostgreSQL documentation, 14.1 Using
EXPLAIN; 11 Indexes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from kisaan_validate.dataclass import dataclass

Node = Mapping[str, Any]

# Unknown nodes, also of later versions, count as no reading of the heap: they are refused, not trusted.
_OF_THE_HEAP = frozenset({"Seq Scan", "Sample Scan", "Tid Scan", "Tid Range Scan", "Foreign Scan"})
"""Nodes that read rows where they lie. A foreign table's heap is another server's matter."""


@dataclass(frozen=True)
class Scan:
    """One node that reads a relation. ``schema`` is "" unless EXPLAIN was VERBOSE; ``indexes`` are those
    that find its rows.
    """

    kind: str
    relation: str
    schema: str
    alias: str
    indexes: tuple[str, ...] = ()

    @property
    def of_the_heap(self) -> bool:
        """Whether it meets every row of the relation, whatever is declared of them. What is not known does
        not.
        """
        return self.kind in _OF_THE_HEAP

    @property
    def words(self) -> str:
        """What finds the rows, for people."""
        if self.indexes:
            return f"index {', '.join(self.indexes)}"
        return f"a {self.kind} of {self.relation}"


@dataclass(frozen=True)
class QueryPlan:
    """A plan as a tree of nodes."""

    root: Node

    @cached_property
    def scans(self) -> tuple[Scan, ...]:
        """Every node that reads a relation, or may read one."""
        return tuple(scan for node in _nodes(self.root) if (scan := _scan(node)) is not None)

    @property
    def rereads(self) -> bool:
        """Whether a subquery would be read again for each row: sessions let the server keep its rows
        (``enable_material``), which it does only then (PostgreSQL source, subselect.c, build_subplan).
        """
        return any(
            node.get("Parent Relationship") == "SubPlan" and node["Node Type"] == "Materialize"
            for node in _nodes(self.root)
        )

    def temp_bytes(self, memory: int, multiplier: float) -> int:
        """The temporary bytes that it is expected to write, where a sort may take ``memory`` bytes."""
        return temp_bytes(self.root, memory, multiplier)


def _scan(node: Node) -> Scan | None:
    kind = str(node["Node Type"])
    # What another server aggregates itself is a scan that names no relation.
    # A custom scan belongs to an extension, which may read anything.
    if "Relation Name" not in node and kind not in {"Custom Scan", "Foreign Scan"}:
        return None
    name = f"Custom Scan ({node.get('Custom Plan Provider', 'unknown')})" if kind == "Custom Scan" else kind
    indexes = [node["Index Name"]] if "Index Name" in node else []
    # The bitmap's own nodes below it name the indexes, not the heap scan.
    if kind == "Bitmap Heap Scan":
        indexes += [below["Index Name"] for below in _nodes(node) if "Index Name" in below]
    relation = str(node.get("Relation Name", "what it reads"))
    return Scan(
        name, relation, str(node.get("Schema", "")), str(node.get("Alias", "")), tuple(dict.fromkeys(indexes))
    )


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def temp_bytes(node: Node, memory: int, multiplier: float) -> int:
    """The temporary bytes that a plan node and those below it are expected to write.

    A sort, hash or materialisation whose rows × width exceed its memory is written out once in full
    (PostgreSQL documentation, "Resource Consumption": work_mem, hash_mem_multiplier).
    """
    kind, total = str(node["Node Type"]), 0
    # 24 bytes: the aligned header of a tuple, as the planner computes it (costsize.c, relation_byte_size).
    size = int(str(node.get("Plan Rows", 0))) * (int(str(node.get("Plan Width", 0))) + 24)
    hashed = kind == "Hash" or (kind == "Aggregate" and node.get("Strategy") in {"Hashed", "Mixed"})
    if (hashed and size > memory * multiplier) or (
        kind in {"Sort", "Incremental Sort", "Materialize", "CTE Scan"} and size > memory
    ):
        total += size
    return total + sum(temp_bytes(child, memory, multiplier) for child in node.get("Plans", ()))
