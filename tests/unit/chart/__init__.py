"""The chart: what is generated into it, what it renders, and what it refuses."""
