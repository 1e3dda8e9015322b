"""Between the picture of a cluster and the scaling decisions: what a decision is told, and what becomes of it."""
