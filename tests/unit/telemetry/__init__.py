"""What is told, to whom, and what is made of it."""
