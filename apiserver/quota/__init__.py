"""ResourceQuotas: what a namespace holds is counted, and what would be too much is refused."""
