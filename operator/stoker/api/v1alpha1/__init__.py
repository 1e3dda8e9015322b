"""Group stoker.dev, version v1alpha1: the ModelDeployment, one file for each part of it."""
