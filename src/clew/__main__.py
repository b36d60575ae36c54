"""`python -m clew` is the command `clew`."""

from clew.cli.process import run

if __name__ == "__main__":
    run()
