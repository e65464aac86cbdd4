"""People, what they say and are told."""
