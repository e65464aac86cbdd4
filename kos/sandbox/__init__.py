"""Real local servers that play the remote services, for the keyless demo and the tests."""
