"""Workspace state that changes: location, configuration, findings."""
