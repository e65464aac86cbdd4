"""The Odds API v4: client and decoder."""
