"""Where administrators and operators see what every kind of mail looks like."""
