"""What the documentation tells a reader to type, typed."""
