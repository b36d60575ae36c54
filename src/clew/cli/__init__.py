"""The command line: arguments in, one call, report out."""
