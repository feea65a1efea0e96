"""Is the canary worse than the others by more than is tolerated? docs/judging.md says what is tested, and why."""
