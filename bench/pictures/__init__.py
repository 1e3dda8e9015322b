"""Panels of the dashboards as pictures."""
