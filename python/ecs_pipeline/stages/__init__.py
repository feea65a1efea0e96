"""The stages, each to be read from top to bottom: canary, promote, rollback; and what looks without touching."""
