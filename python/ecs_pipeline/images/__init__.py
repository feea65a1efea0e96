"""Building and naming images: the builders, Docker's settings, Dockerfiles, registries, signatures."""
