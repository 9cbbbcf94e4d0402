"""Measurements of the running product; `make bench` runs them all.

Real processes on the embedded PostgreSQL with fsync, and a real mail server; everything is started
here, listens on loopback only, and is ended again. `targets` says what is held against what.
"""
