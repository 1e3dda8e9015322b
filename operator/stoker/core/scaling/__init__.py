"""How many replicas a model needs, and who gets them. Pure: time comes in, nothing goes out but decisions.

observation  what is known of one model at one instant
memory       what the next decision needs of the earlier ones
decide       demand(observation, memory, tuning) -> (Demand, Memory)
fleet        what there is to give: pools, quotas, leases
allocate     allocate(demands, fleet) -> a grant for each model
"""
