"""REST v1 and the addresses that machines ask for. Thin: no rules here."""
