"""Every read from AWS."""
