"""What is generated: the CRD and the pages of the reference. `python -m stoker.api.schema` writes all of it."""
