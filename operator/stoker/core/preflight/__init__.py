"""Whether a cluster is ready for the first model: facts in, checks out. What could not be read stays unknown."""
