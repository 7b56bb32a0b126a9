"""How often models are right, alone and together, what that costs, and whether being together was worth it."""
