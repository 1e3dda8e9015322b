"""What the commands that look at a fleet have in common: reading it, and saying it in a few lines."""
