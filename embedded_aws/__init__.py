"""A local AWS with real containers, for the demo and the tests; see README.md."""
