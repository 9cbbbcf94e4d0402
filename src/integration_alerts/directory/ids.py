"""Ids of rows as they come in from outside: in addresses of pages, links and return paths."""

LARGEST_ID = 2**63 - 1
"""The largest that the database can hold; asking it for a larger one would be an error."""
