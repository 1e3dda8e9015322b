"""End-to-end tests and the one-node cluster they run on."""
