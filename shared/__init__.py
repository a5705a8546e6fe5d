"""The mechanism every service stands on: the log, its relay and followers, folding, sealing, and plain HTTP."""
