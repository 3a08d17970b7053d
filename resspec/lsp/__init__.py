"""A language server for spec files: what an editor asks, answered from the located tree.

text -> tree -> Index (names, what stands where) -> hover, completion, rename ...; the network itself
is expanded in the background. Only `server` knows pygls.
"""
