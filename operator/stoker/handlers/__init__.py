"""The operator process: kopf on one side, the work queue on the other."""
