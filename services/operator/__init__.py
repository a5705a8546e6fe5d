"""The operator's side: the `daybook` command, the console, and the supervisor that runs everything on one machine."""
