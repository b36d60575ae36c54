"""Who and what can reach what: `applied` finds the policies that take part in a request, for the engine to judge."""
