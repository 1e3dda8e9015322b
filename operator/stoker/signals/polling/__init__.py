"""Asking replicas themselves, over connections that are kept while there is work."""
