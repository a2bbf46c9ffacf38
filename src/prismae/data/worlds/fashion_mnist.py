"""The world `fashion-mnist`, from its official files."""

from __future__ import annotations

from prismae.data._base import World
from prismae.data.idx import Split, labelled_images

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def load(split: Split = "train") -> World:
    """Articles of clothing: 60,000 grey images of 28x28 pixels in ten classes, and 10,000 for tests.

    The official files (31 MB, MIT licence) are downloaded when they are not in the data folder. Xiao, Rasul, Vollgraf
    2017, arXiv:1708.07747. Observations [60000, 1, 28, 28], kept as bytes; factor class [60000, 1].
    """
    return labelled_images("fashion-mnist", split, URL, CHECKSUMS, "official Fashion-MNIST", CLASSES)
