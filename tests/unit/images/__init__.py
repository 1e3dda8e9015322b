"""Images and models for the one-node cluster."""
