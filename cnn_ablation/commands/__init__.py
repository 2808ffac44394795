"""The commands as users type them: flags, the entry point of each, and what they print."""
