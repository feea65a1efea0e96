"""What `validate` looks at."""
