"""`pytheas logs`: which containers are meant, how they are followed, and what is kept of those that are gone."""
