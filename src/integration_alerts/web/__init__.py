"""The pages. Thin: no rules here."""
