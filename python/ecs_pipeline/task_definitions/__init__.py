"""Task definitions as documents, and what RunTask is given."""
