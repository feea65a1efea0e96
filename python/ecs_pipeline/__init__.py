"""Canary, promote and roll back Amazon ECS services, one idempotent stage at a time."""

__version__ = "0.1.0"
