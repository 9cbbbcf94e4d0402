"""Where members see their integrations, act on them, and read what was mailed about them."""
