"""The IAM policy of the stages, and whether a role has it."""
