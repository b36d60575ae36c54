"""Questions in the SQL of Athena and CloudTrail Lake, answered by DuckDB over the lake."""
