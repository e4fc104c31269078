from kisaan_validate import declare

declare.unique("c", ["shop", "rate"], nulls_equal=False, id="c.unique")
