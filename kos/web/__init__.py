"""The local web page: the views as a browser shows them, live. Nothing here blocks an actor."""
