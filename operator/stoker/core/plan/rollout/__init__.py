"""How replicas of one revision take the place of another's: pure decisions, one a file.

steps     which step a rollout is in, by its strategy and by what was seen
counts    how many replicas each revision should have in that step
proof     from when on a new replica counts, and when its revision counts as good
room      whether a new replica finds no place beside the old ones
failure   whether a new revision is to be given up
traffic   who of the two sets takes traffic, and who stands in for one that leaves
course    all of it together, for the planner
"""
