"""YAML and JSON documents with the lines of what stands in them."""
