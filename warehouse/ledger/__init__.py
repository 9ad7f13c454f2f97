"""The ledger of affiliates' commissions: what is posted, what is due, and the difference."""
