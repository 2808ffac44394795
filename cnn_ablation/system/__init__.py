"""What touches the machine: files, locks, caches, the clock, compiled programs, what it runs on."""
