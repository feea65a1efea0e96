"""AWS in memory, for tests of the logic: what a call does, at once and whole, and time that passes when told to."""
