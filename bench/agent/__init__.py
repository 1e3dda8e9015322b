"""What the agent in front of the engine costs."""
