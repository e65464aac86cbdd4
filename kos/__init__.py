"""KOS, a matched betting and arbitrage engine."""

NAME = "kos"
"""The program's own: its daemon, its account on a server and what it keeps for itself go by it."""
__version__ = "0.1.0"
