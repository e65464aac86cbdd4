"""The terminal: renders views, starts the daemon and the sandbox."""
