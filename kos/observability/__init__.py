"""Logs, redaction, health."""
