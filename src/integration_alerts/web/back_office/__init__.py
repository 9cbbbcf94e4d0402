"""The operator's back office: Django's admin, read-mostly."""
