-- White space came around the lorries' numbers.
--
-- [[rows]]
-- table = "mandi_gate_entries"
-- kind = "changed"
-- keys = "SELECT gate, day, no FROM mandi_gate_entries WHERE no = 3"
-- columns = ["lorry"]
-- pattern = "trimmed"
-- facts = { space = "gained", where = "around" }
UPDATE mandi_gate_entries SET lorry = lorry || '  ' WHERE no = 3;
