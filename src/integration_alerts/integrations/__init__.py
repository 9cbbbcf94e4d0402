"""Integrations, their history and their incidents. Knows nothing of who is told."""
