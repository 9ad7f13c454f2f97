"""Turn an audited build into an immutable version, and choose which version readers see."""
