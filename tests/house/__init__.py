"""The house tests itself: what no single module can promise, and no reviewer should have to remember."""
