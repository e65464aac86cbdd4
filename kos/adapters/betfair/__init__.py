"""The Betfair Exchange, read only: session, calls, stream, decoders."""
