from kisaan_validate import declare

declare.holds("v", "a > 0")
declare.holds("m", "a > 0")
