"""What model providers say they billed, beside what the call log says calls cost."""
