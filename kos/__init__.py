"""KOS: a matched-betting and arbitrage engine that finds, computes, tracks and tells."""

__version__ = "0.1.0"
