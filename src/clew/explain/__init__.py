"""Why something is as it is: what was written, what happened and what is configured, read together."""
