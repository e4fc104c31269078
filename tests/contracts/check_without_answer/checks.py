from kisaan_validate import declare

declare.holds("t", "a / 0 > 1")
