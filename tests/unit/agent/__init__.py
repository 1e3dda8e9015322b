"""The replica agent: how it supervises an engine, watches it, and leaves."""
