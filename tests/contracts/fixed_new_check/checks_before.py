from kisaan_validate import declare

declare.minimum_rows("t", 1)
