"""The chart on a real cluster: install, upgrade, uninstall, install again."""
