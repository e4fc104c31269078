"""A suite drafted from a live database: what its catalogue declares, and what its data was seen to be."""
