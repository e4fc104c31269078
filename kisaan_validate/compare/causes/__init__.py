"""Why things differ: differences of one table that follow from one cause, as one group each.

``base`` says what a cause is, ``rows`` and ``values`` what causes there are, ``grouping`` finds them.
"""
