"""`python -m salon_client`: the same as `salon`."""

from salon_client.cli import main

if __name__ == "__main__":
    main()
