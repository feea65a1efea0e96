"""The main job on an embedded AWS: `make demo`."""
