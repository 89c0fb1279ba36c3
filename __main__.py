"""Run the command line: python -m reverie."""
