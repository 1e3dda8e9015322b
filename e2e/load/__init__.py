"""Clients that stream chat completions at an open loop, and count what becomes of every request."""
