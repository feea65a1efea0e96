"""One-off commands at set moments of a release."""
