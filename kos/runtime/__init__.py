"""The actor runtime: supervised actors on several processes. It knows nothing of betting."""
