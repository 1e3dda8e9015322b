"""How fast weights come to a disk."""
