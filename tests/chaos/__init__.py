"""The crash suite: a random workload, a nemesis, and a checker over the log and what clients saw."""
