"""Checks: what a canary is judged by, one file a kind; verdict.py makes a verdict of samples, watch.py takes them."""
