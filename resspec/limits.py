"""Every cap in one place, with its unit and its reason. A spec from a stranger ends within these."""

FILE_BYTES = 1 << 20
"""bytes of one spec file; the largest shipped one has 5 kB"""

FILES = 32
"""files that one spec may draw in through `use`"""

YAML_NODES = 100_000
"""keys, values and containers of one file"""

YAML_DEPTH = 64
"""levels of nesting in one file; C parsers overflow their stack far beyond"""

EXPRESSION_CHARS = 200
"""characters of one expression"""

EXPRESSION_DEPTH = 32
"""levels of nesting inside one expression"""

MAGNITUDE = 2**53
"""largest absolute value of any intermediate result: exact in a float and in JSON readers"""

LIST_ITEMS = 4096
"""items of one list value"""

TEXT_CHARS = 4096
"""characters of one interpolated text"""

NODES = 20_000
"""ops of one graph; ResNet-1202 has 5,000"""

STEPS = 50_000
"""steps carried out while expanding, those that yield no op (empty blocks, skipped steps) included"""

CHECKED_NODES = 100_000
"""ops of all networks that one `check` expands: the defaults, the variants, and those of the checks"""

NETWORK = 100
"""ops that one network counts for at least there: expanding and checking it costs something however small it is"""

CALL_DEPTH = 64
"""levels of blocks and loops inside each other"""

BODY_DEPTH = 100
"""bodies inside each other, `do` and nested lists included; Python itself stops at 1,000 frames"""

RANK = 8
"""axes of a tensor, the batch axis left out"""

DIMENSION = 2**31 - 1
"""largest size of one axis; backends index axes with 32 bits"""

PERIOD = 4096
"""largest total stride for which sizes are followed symbolically; beyond, inputs need numbers"""

PARAMETERS = 2_000_000_000
"""weights that `build` allocates unless told otherwise (8 GB in float32)"""

KERAS_DEPTH = 900
"""layers in one chain from which on Keras's own loader nears Python's recursion limit of 1,000"""

WEIGHT_PARTS = 200_000
"""groups and arrays in one file of weights; the largest networks have some thousand"""

WEIGHT_NAME_CHARS = 512
"""characters of the name of an array"""

WEIGHT_TEXT_BYTES = 1 << 26
"""bytes of the configuration, or of the pickle, in a file of weights; those of the largest networks have a few MB"""

WEIGHT_GROWTH = 20
"""how often larger than the file its arrays may be; trained weights hardly compress"""

WEIGHT_SLACK = 1 << 26
"""bytes of arrays that any file may hold, however small it is"""

WEIGHT_RANK = 32
"""axes of an array in a file of weights; HDF5 and older NumPy end there"""

WEIGHT_DEPTH = 64
"""levels of groups, or of lists and mappings, in a file of weights"""

WEIGHT_STEPS = 2_000_000
"""steps of the pickle in a file of weights; a state dict has some thirty for each array"""
