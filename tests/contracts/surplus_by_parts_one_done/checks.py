from kisaan_validate import declare

declare.unique("c", ["shop", "rate"], id="c.unique", severity="warning")
