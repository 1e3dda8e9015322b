"""Dashboards for Grafana, written as Python and rendered as its JSON."""
