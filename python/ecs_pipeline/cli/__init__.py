"""The command line: commands, options, exit codes, and what puts the real parts together."""
