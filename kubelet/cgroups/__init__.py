"""The pods' cgroups: where they lie, what they use, and what limits them. Both versions of the kernel's interface, both
of Docker's drivers."""
