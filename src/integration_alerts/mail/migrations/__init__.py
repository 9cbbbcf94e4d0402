"""The schema of this layer, step by step."""
