"""The operators' back office, made with Django's admin: finds and shows, changes next to nothing.

Never a way around the rules: what it can do, it does through the functions that everybody uses.
"""
