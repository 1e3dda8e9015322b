"""Talking to the API server, against a server on loopback that misbehaves as told."""
