"""Who answers for a run: signed statements over its digests, bundles of evidence, and their verification
offline.
"""
