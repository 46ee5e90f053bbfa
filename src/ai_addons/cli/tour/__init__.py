"""All eight features on one shop: its CSV files, what each feature takes of them, what the owner reads."""
