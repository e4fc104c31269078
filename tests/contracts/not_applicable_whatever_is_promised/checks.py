from kisaan_validate import declare

declare.no_column_of_type("pg_lsn", id="always")
declare.holds("gone", "a > 0", id="elsewhere", applies="table gone")
