"""`moot` and `python -m node`."""

from node.cli import main

if __name__ == "__main__":
    main()
