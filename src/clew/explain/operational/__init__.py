"""Operational evidence: what AWS's commands and a server's logs say of a fault, and the hypotheses that it tests."""
