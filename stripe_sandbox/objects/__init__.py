"""The objects of the API, one file a noun: how each is made, changed and found."""
