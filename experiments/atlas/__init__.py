"""What a CNN's design choices do: all studies of the published answer, and its page."""
