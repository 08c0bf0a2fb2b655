"""CSV files as ticketing and asset products import them: one file per product, and what all of them share."""
