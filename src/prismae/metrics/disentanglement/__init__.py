"""How far each code speaks of one factor, and each factor of one code."""
