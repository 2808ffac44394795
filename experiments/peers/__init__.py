"""Plain training programs for one design in each framework, as workers of experiments.benchmark."""
