"""Mutants: wrong lines put in on purpose, to see whether the tests notice."""
