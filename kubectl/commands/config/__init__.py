"""`pytheas config`: the kubeconfig files."""
