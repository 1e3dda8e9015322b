"""`make bench-autoscale`: Stoker's scaling beside its peers', over kinds of traffic, start-up times and warm pools."""
