"""IAM that enforces: what a request needs, and whether its caller's policies allow it."""
