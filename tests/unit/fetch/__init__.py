"""Tests of stoker_runtime.fetch: the transfer."""
