"""The life of an offer: six phases, and which fact may follow in which of them.

A pure state machine. :func:`advance` takes a state and a fact and gives the next states with
the movements of money, or refuses with a sentence that says the phase, what was asked and what
is allowed. Nothing is stored but the facts: a state is what they fold to.

An instance may hold several tokens. Each has its own phases 4 to 6; the instance is in the
phase of its least advanced open token, or in 3 while further tokens are due.
"""
