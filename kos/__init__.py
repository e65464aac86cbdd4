"""KOS, a matched betting and arbitrage engine."""

__version__ = "0.1.0"
