"""Talking to the engine over loopback, apart from what clients send it."""
