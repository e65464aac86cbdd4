"""Settings: what there is, how it is read, and every setting in words."""
