"""AWS's catalogue of policy checks: the list (`catalogue`), the checks by theme, and what they need to know.

A check is a small function that is registered under its issue code (`registry`) and yields what it has to tell. Codes
that the reading of a document finds by itself (grammar, names, ARNs) are listed in `registry.TOLD_ELSEWHERE`.
"""
