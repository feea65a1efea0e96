"""Amazon CloudWatch where ministack's differs: GetMetricData and alarms."""
