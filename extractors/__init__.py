"""Read operational stores and write load packages; knows nothing of the warehouse."""
