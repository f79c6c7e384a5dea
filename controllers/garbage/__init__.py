"""Owner garbage collection: what belongs to an object goes when the object goes, unless it was asked to stay."""
