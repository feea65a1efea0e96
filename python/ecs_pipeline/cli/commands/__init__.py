"""The commands beside the stages, one file each: their options, and what they print."""
