"""The way back: a cancel, what the last cancel left, a canary that failed."""
