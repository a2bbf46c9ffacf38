"""Do codes fall into clusters, and are these the classes?"""
