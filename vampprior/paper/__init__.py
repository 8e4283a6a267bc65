"""Table 1, the figure over K, and their page."""
