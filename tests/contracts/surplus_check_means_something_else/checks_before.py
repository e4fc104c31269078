from kisaan_validate import declare

declare.unique("c", ["shop", "rate"], where="rate > 1", id="c.unique")
