"""The planner on worlds that are made up."""
