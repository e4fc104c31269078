-- Entries lost, changed and added in a table of three key columns.
--
-- [[rows]]
-- table = "mandi_gate_entries"
-- kind = "removed"
-- keys = "SELECT gate, day, no FROM mandi_gate_entries WHERE gate = 'gate B' AND no = 6"
-- [[rows]]
-- table = "mandi_gate_entries"
-- kind = "changed"
-- keys = "SELECT gate, day, no FROM mandi_gate_entries WHERE gate = 'gate A' AND no = 1"
-- columns = ["weight_kg"]
-- pattern = "sign flipped"
-- [[rows]]
-- table = "mandi_gate_entries"
-- kind = "added"
-- keys = "SELECT gate, day, no FROM mandi_gate_entries WHERE gate = 'gate Z'"
DELETE FROM mandi_gate_entries WHERE gate = 'gate B' AND no = 6;
UPDATE mandi_gate_entries SET weight_kg = -weight_kg WHERE gate = 'gate A' AND no = 1;
INSERT INTO mandi_gate_entries VALUES ('gate Z', '2025-01-01', 1, 'MH-12-9999', 1), ('gate Z', '2025-01-01', 2, NULL, 2);
