"""Is it as it should be: checks over an account's recorded state, and the frameworks that ask for them.

`model` holds the values, `checks` one pure function for each check, `frameworks` maps the controls of benchmarks to
checks, `run` puts them together.
"""
