"""Elastic Load Balancing: targets with a real state, and traffic that follows it."""
