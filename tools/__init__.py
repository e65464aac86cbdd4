"""Tools of the workshop: nothing of them is part of KOS."""
