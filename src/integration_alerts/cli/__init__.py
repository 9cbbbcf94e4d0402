"""The command line. Thin: no rules here."""
