"""Care of the lake: what it holds, whether it is whole, and making it smaller, younger or movable."""
