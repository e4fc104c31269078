from kisaan_validate import declare

declare.holds("tmp_x", "id > 0")
declare.holds("p1", "k > 0")
