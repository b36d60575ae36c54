"""A case: a fault followed in seven steps, kept as a folder of plain files with its evidence."""
