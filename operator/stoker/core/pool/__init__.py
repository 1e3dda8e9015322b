"""Which replica is in which tier: who takes traffic, who stands by loaded, and who leaves first."""
