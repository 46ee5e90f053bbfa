"""How well real models word the built-in features: opt-in, on a budget, reported and never a gate."""
