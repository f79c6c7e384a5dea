"""`pytheas set`: change one thing of a pod template."""
