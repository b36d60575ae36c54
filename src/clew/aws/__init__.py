"""AWS vocabulary: ARNs, partitions, service names, the glob matcher."""
