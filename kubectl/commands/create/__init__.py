"""`pytheas create`: from files, or a few kinds from flags."""
