"""Rows to domain values and back, and the queries over them."""
