"""Text for terminals and notebooks: tables, notices, progress."""
