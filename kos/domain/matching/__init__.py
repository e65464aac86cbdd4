"""The same event and the same runner under two names."""
