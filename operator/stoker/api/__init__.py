"""The ModelDeployment API. The models here are the only source of the CRD, its reference and its parsers."""
