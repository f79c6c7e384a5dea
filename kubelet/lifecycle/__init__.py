"""What should happen next to a pod, and what is to be said of it: pure functions of what is wanted and what is
there."""
