"""A program that behaves as a vLLM server does, without a model, so that fleets of hundreds can be tested for real.

The standard library alone: a replica starts in a tenth of a second and holds thousands of streams in a few dozen MB.
"""
