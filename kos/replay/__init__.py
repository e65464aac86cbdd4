"""Recorded payloads through the same engine as the daemon's."""
