"""Studies and checks that run from the command line: python -m experiments.NAME."""
