"""Events at rest: Iceberg tables, ingest, SQL, event history, coverage."""
