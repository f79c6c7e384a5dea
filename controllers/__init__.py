"""The control loops: each watches some kinds of objects and moves what is towards what is wanted.

One file or folder is one controller. The decision is a pure function of (desired, actual, now); the shell around it
does the I/O. `main` runs all of them in one process, on one shared set of informers.
"""
