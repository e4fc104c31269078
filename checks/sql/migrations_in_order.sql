-- id: _migrations.executed_at.in_order
-- title: the migrations of 2025-10-18 ran in the order of their names
-- table: _migrations
-- severity: warning
-- why: The runner runs its files in the order of their names. If one ran before its predecessor, it was
--   started by hand, on a state of the books that nobody tested.
-- hint: ask who ran it and why; then compare the result with a staging copy on which all ran in order
-- owner: platform
-- tags: migration, runbook
-- key: name
-- shows: executed_at
SELECT later.name, later.executed_at
FROM _migrations AS later
WHERE later.name LIKE '20251018%'
  AND EXISTS (
    SELECT FROM _migrations AS earlier
    WHERE earlier.name LIKE '20251018%'
      AND earlier.name < later.name
      AND earlier.executed_at > later.executed_at)
