"""Exchange rates: where they come from, which to believe, and the desk that knows the best one.

They show cost in cedis. Only a gateway that charges in another currency sells by
one, and that fails without a fresh rate.
"""
