"""Keep the disk small: merge old packages, and remove what nobody needs any more."""
