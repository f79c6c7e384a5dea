"""What a pod's spec asks for, worked out: resources, environment, security, and the bodies of Docker's create calls."""
