"""The world `mnist`, from its official files."""

from __future__ import annotations

from prismae.data._base import World
from prismae.data.idx import Split, labelled_images

URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def load(split: Split = "train") -> World:
    """Handwritten digits: 60,000 grey images of 28x28 pixels in ten classes, and 10,000 for tests.

    The official files (12 MB) are downloaded when they are not in the data folder. LeCun, Cortes, Burges 1998.
    Observations [60000, 1, 28, 28], kept as bytes; factor class [60000, 1].
    """
    return labelled_images("mnist", split, URL, CHECKSUMS, "official MNIST")
