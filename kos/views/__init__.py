"""Answers for every screen, each built once; no layout."""
