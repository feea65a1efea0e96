"""What is judged, whoever took the samples: a canary under watch, or a file of recorded ones."""
