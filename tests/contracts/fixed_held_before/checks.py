from kisaan_validate import declare

declare.holds("t", "a > 0", id="positive", severity="warning")
