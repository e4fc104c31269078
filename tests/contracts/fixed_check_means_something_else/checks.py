from kisaan_validate import declare

declare.holds("t", "a > -9", id="positive", severity="warning")
