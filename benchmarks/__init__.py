"""What Daybook claims to be fast at, measured with the peer beside it in the same run."""
