"""Compare source and warehouse at the same position, and keep the outcome as a certificate."""
