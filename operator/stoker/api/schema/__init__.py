"""What is generated from the models: the CRD and the reference. `python -m stoker.api.schema` writes both."""
