"""Account state as collected: principals with their policies, resources with theirs, and the organisation above.

`load.load(paths)` reads what AWS's own commands print; `model` is what everything else reads.
"""
