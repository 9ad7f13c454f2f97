"""Copy what a warehouse keeps to another disk, and bring it back on an empty machine."""
