"""Scaling in real time: a real cluster, simulated engines behind their agents, and clients that count everything."""
