"""What containers write, read from the files that Docker keeps of it."""
