"""Amazon CloudWatch Logs where ministack's differs: FilterLogEvents."""
