"""Detections over the lake: one scan of the typed columns for all predicates, then windows, findings and evidence."""
