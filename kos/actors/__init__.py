"""Thin shells: receive, ask an adapter, call the domain, tell."""
