"""Talking to the API server: plain JSON over one connection pool, watches that notice what they missed."""
