"""Reads what a model is from headers and configuration, without loading a tensor."""
