"""Two services small enough to see through: one registers practices, the other hears of frozen ones."""
