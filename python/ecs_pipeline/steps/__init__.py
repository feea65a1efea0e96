"""One convergent unit of work a file; the stages put them in order."""
