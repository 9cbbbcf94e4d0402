"""Signing in: django-allauth's pages in our frame, invitations, the address of a member."""
