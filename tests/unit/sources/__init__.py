"""Where weights come from, against servers on loopback that misbehave as told."""
