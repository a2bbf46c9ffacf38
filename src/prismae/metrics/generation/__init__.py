"""How good are reconstructions and samples, as images?"""
