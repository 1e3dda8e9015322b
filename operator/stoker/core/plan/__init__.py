"""Which objects a ModelDeployment should have, and what its status says."""
