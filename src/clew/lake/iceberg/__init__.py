"""Appending to the lake's Iceberg tables without PyIceberg, which takes 0.7 s of CPU to load.

Only the one commit that ingest makes all the time: finished data files added to a table that we made. Whatever else a
table may hold (another schema, deletes, branches, many manifests) is left to `clew.lake.store`.
"""

from clew.lake.iceberg.append import append

__all__ = ["append"]
