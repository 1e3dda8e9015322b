"""The simulated engine: it answers as vLLM does, at the pace it is told, and fails on demand."""
