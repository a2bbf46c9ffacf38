"""How well does the model predict observations, as a density, and how much do its codes say of them?"""
