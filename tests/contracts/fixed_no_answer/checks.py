from kisaan_validate import declare

declare.holds("t", "a / 0 > 0", id="broken")
declare.holds("t", "a < 100", id="elsewhere", applies="table nowhere")
