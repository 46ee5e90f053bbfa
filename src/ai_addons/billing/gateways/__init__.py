"""Payment gateways: who collects the money for an order."""
