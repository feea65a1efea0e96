"""The only place that imports boto3 and botocore: one file a service, errors translated (session.py)."""
