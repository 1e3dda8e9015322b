"""`make up`: from a machine, or from a cluster that exists, to a model that streams."""
