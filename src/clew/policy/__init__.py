"""Policy documents as written: statements, principals, conditions."""
