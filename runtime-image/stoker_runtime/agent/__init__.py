"""What stands in front of the engine in every replica: it owns the serving port and counts what passes."""
