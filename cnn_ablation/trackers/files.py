"""Names of TensorBoard's files in a workdir."""

TENSORBOARD, EVENT_FILES = "tensorboard", "events.out.tfevents."
