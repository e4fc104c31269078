"""Names what happened to changed values: a shift, a truncation, a flipped sign, two columns swapped. Pure,
nouns only.

A pattern is claimed only for rows whose new value it makes out of the old one, exactly, with their number;
the rest is called unexplained. Memory does not grow with the number of rows.
"""
