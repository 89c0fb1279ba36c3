"""Finding programs: typed enumeration guided by a prior, and compression of what was found."""
