"""Measurements. Each prints its figures with machine, versions and load beside them, and stores them as JSON."""
