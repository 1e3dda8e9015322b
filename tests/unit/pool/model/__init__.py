"""A model of replicas, their agents, the routing to them and an operator, small enough to be tried out in every order.

What decides is the operator's own code; what it acts on is made here.
"""
