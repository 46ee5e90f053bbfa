"""The privacy layer: personal data is replaced before it leaves and put back in the answer."""
