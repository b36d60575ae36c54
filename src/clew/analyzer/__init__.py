"""What access is there, what is used, and what would be enough."""
