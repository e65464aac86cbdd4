"""Each question an operator can ask, answered once; no layout."""
