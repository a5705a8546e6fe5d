"""`python -m services.operator` is the `daybook` command."""

from services.operator.app import main

if __name__ == "__main__":
    main()
