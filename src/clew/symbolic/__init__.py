"""Sets of requests: what one policy, or stack of policies, allows that another does not."""
