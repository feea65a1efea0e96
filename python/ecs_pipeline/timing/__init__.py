"""Clocks, waits and retries: the only place that sleeps."""
