"""Subscriptions and notices: what must be told, and who wants to hear it. Sends nothing."""
