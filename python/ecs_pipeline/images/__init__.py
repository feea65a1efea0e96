"""Building images: what Docker, its settings and a Dockerfile say, without the engine itself."""
