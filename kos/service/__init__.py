"""What tells the outside how KOS is, and hears it say stop."""
