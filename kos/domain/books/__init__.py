"""Money that is kept: double entry, lines of reports, periods."""
