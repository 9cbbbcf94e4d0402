"""Where members see, make, change and end integration alerts."""
