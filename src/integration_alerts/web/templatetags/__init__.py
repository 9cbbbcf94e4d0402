"""What templates of the pages can call."""
