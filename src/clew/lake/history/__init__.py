"""Event history: filters in, rows that answer who, what, where from, when, how and with what outcome.

`search.find` is the way in; `filters.Filters` says what to look for; `entries.Entry` is one row of the answer.
"""
