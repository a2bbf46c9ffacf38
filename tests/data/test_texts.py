"""Texts as worlds: files, words, vocabulary, batches."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

import prismae as pr
from prismae._words import EOS, UNK, lengths
from prismae.data.text import Vocabulary, split_words
from prismae.errors import InputError
from prismae.train.batches import BucketedBatches, batches_of

LINES = ["The cat sat.", "the dog sat down .", "A cat's life, it's good!"]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return file


def test_a_file_becomes_sentences_of_words(path):
    world = pr.world(path)
    assert (world.name, len(world), world.shape) == ("mine", 3, (8,))
    assert world.kind.vocabulary.words[:7] == ("<pad>", "<bos>", "<eos>", "<unk>", ".", "sat", "the")
    assert world.kind.vocabulary.decode(world.data[torch.arange(3)]) == [
        "the cat sat .",
        "the dog sat down .",
        "a cat's life , it's good !",
    ]
    assert world.data.lengths.tolist() == [5, 6, 8]
    assert world.data[torch.tensor([0])].tolist()[0][-1] == EOS  # drawn as long as the longest of the draw
    assert "19 words, 13 different ones, 0 unknown; sentences of 5 to 8 words" in world.describe()


def test_a_gzipped_file_is_the_same(path, tmp_path):
    packed = tmp_path / "mine.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert torch.equal(pr.world(packed).data.values, pr.world(path).data.values)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("It's 5 o'clock, N.Y.", ["it's", "5", "o'clock", ",", "n.y", "."]),
        ("<unk> of _UNK", ["<unk>", "of", "<unk>"]),
        ("well-known “words”", ["well-known", "“", "words", "”"]),
    ],
)
def test_words_of_a_line(line, words):
    assert split_words(line) == words


def test_the_vocabulary_is_the_frequent_words():
    sentences = [["b", "a", "<unk>"], ["b", "c"]]
    assert Vocabulary.of(sentences, most=2).words[4:] == ("b", "a")
    assert Vocabulary.of(sentences, most=2).encode(sentences).values.tolist() == [
        [4, 5, UNK, EOS],
        [4, UNK, EOS, 0],
    ]


def test_held_out_sentences_add_no_words(tmp_path):
    path = tmp_path / "many.txt"
    path.write_text("".join(f"word{i} and word{i} again\n" for i in range(50)))
    kept, held = pr.world(path).split(0.2)
    assert len(kept.kind.vocabulary) == 4 + 2 + 40
    assert kept.kind.vocabulary == held.kind.vocabulary
    assert not (kept.data.values == UNK).any()
    assert held.kind.vocabulary.decode(held.data[torch.tensor([0])]) == ["<unk> and <unk> again"]
    rows = torch.arange(3)
    assert set(kept.kind.vocabulary.decode(kept.data[rows])) <= {
        f"word{i} and word{i} again" for i in range(50)
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty, expected a sentence in each line"),
        (b"one\n", "has one sentence, expected at least two"),
        (b"fine\n\0 here\n", "is no text"),
        ("我爱你\n你爱我\n".encode("gb18030"), "line 1 is no UTF-8 text, nor .* convert it to UTF-8"),
        (b"a " * 300 + b"\n", "line 1 has 300 words, expected at most 255"),
        (b"same\nsame same\n", "a vocabulary of 1 word, expected at least two"),
    ],
)
def test_bad_files(tmp_path, content, said):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        pr.world(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("मुझे किताब", ["मुझे", "किताब"]),
        ("cafe\u0301 naïve", ["cafe\u0301", "naïve"]),
        ("我爱你。", ["我", "爱", "你", "。"]),
        ("カメラを", ["カメラ", "を"]),
        ("l’été, D'accord…", ["l’été", ",", "d'accord", "…"]),
    ],
)
def test_words_of_other_scripts(line, words):
    assert split_words(line) == words


def test_characters_are_kept_as_they_are(tmp_path):
    lines = ["CC(=O)Oc1", "C1=CC=CC=C1", "न म"]
    (tmp_path / "smiles.txt").write_text("\n".join(lines), encoding="utf-8")
    world = pr.world(tmp_path / "smiles.txt", tokens="characters")
    assert world.kind.vocabulary.decode(world.data[torch.arange(3)]) == lines
    assert "26 characters, 10 different ones" in world.describe()
    kept = Vocabulary.of([["a", "b"]], characters=True)
    assert kept.split(kept.decode(torch.tensor([[4, 5]]))[0]) == ["a", "b"]
    model = pr.Autoencoder("vae", net="lstm:width=4", n_latents=2, steps=2, batch=2).fit(world)
    model.save(tmp_path / "run")
    assert pr.load(tmp_path / "run").transform(world).shape == (3, 2)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match="is no text, so tokens cannot be given"):
        pr.world(tmp_path / "x.csv", tokens="characters")


@pytest.mark.parametrize(
    ("content", "n", "said"),
    [
        (b"one two\rthree\r", 2, ""),
        (b"one two\n\nthree\n\n", 2, "2 of 4 lines are empty and left out"),
        ("café\nthé noir\n".encode("latin-1"), 2, "line 1 is no UTF-8 text, so all is read as Latin-1"),
        ("café\nthé noir\n".encode("utf-16"), 2, ""),
        ("我爱你\n你爱我吗\n".encode(), 2, "each of their characters counts as a word"),
        ("ฉันรักคุณ\nคุณรักฉัน\n".encode(), 2, "--tokens characters takes its characters"),
        ("one\u2028two\nthree\x0bfour\r\n".encode(), 2, ""),
    ],
)
def test_lines_and_encodings(tmp_path, content, n, said):
    (tmp_path / "x.txt").write_bytes(content)
    world = pr.world(tmp_path / "x.txt")
    assert len(world) == n
    assert (
        " ".join(world.notices).startswith(said)
        if said.startswith(("2", "line"))
        else said in " ".join(world.notices)
    )
    assert bool(world.notices) == bool(said)


def test_labels_before_texts_are_told_of(tmp_path):
    (tmp_path / "x.txt").write_text("good\tthe cat runs here\nbad\tthe dog\n\nbad\tthe cow runs\n")
    assert pr.world(tmp_path / "x.txt").notices[0].startswith("3 of 3 lines have tabs")
    (tmp_path / "y.txt").write_text("the\tcat\n" + "the dog runs\n" * 9 + "\tindented\n")
    assert not pr.world(tmp_path / "y.txt").notices


def test_a_damaged_archive_and_options_of_other_data(tmp_path, path):
    damaged = tmp_path / "bad.txt.gz"
    damaged.write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot be read"):
        pr.world(damaged)
    with pytest.raises(InputError, match="is a text, which has no factors"):
        pr.world(path, factors=["a"])
    with pytest.raises(InputError, match="is a text, which has no series or channel_names"):
        pr.world(path, series="channels-first", channel_names=["a"])


def test_ptb_from_made_up_files(tmp_path, monkeypatch):
    folder = tmp_path / "ptb"
    folder.mkdir()
    monkeypatch.setenv("PRISMAE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"ptb.train.txt is not in the data folder: .* put your copy"):
        pr.world("ptb")
    (folder / "ptb.train.txt").write_text(" mr. <unk> sat \n n.v. rose \n")
    (folder / "ptb.test.txt.gz").write_bytes(gzip.compress(b" mr. new rose \n"))
    train, test = pr.world("ptb"), pr.world("ptb:test")
    assert set(train.kind.vocabulary.words[4:]) == {"mr.", "sat", "n.v.", "rose"}
    assert test.kind.vocabulary == train.kind.vocabulary
    assert test.kind.vocabulary.decode(test.data[torch.tensor([0])]) == ["mr. <unk> rose"]


def test_official_ptb(real_data, monkeypatch):
    monkeypatch.setenv("PRISMAE_DATA", str(real_data))
    train, test = pr.world("ptb"), pr.world("ptb:test")
    assert (len(train), len(pr.world("ptb:valid")), len(test)) == (42_068, 3_370, 3_761)
    assert (int(train.data.lengths.sum()), int(test.data.lengths.sum())) == (929_589, 82_430)
    assert (
        len(train.kind.vocabulary) == 10_000 + 2
    )  # unknown word and end are counted; padding and start are not


@pytest.mark.parametrize("n", [7, 64, 1000])
def test_batches_by_length_see_every_sentence_about_once(n):
    sizes = torch.from_numpy(np.random.default_rng(0).integers(2, 40, size=n))
    batches = BucketedBatches(sizes, 16, 0, 0, torch.device("cpu"))
    per_epoch = max(n // 16, 1)
    rows = torch.cat([batches[i] for i in range(per_epoch)])
    assert len(rows) == 16 * per_epoch
    assert len(rows.unique()) == min(n, len(rows))
    assert not torch.equal(rows, torch.cat([batches[i] for i in range(per_epoch, 2 * per_epoch)]))
    again = BucketedBatches(sizes, 16, 0, 0, torch.device("cpu"))
    assert torch.equal(again[per_epoch], batches[per_epoch])  # a function of seed, player and number alone


def test_batches_by_length_hold_little_padding(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.txt"
    lines = [" ".join(f"w{w}" for w in rng.integers(9, size=n)) for n in rng.integers(2, 60, 4000)]
    path.write_text("\n".join(lines))
    world = pr.world(path)
    batches = batches_of(world, 32, 0, 0, torch.device("cpu"))
    drawn = [world.data[batches[i]] for i in range(100)]
    assert sum(int(lengths(x).sum()) for x in drawn) / sum(x.numel() for x in drawn) > 0.95


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_sentences_in_wide_characters_need_no_mark(tmp_path: Path, encoding: str) -> None:
    lines = [f"the cat {i} sät on the mat" for i in range(9)]
    (tmp_path / "x.txt").write_bytes("\n".join(lines).encode(encoding))
    (tmp_path / "y.txt").write_text("\n".join(lines), encoding="utf-8")
    made, plain = pr.world(tmp_path / "x.txt"), pr.world(tmp_path / "y.txt")
    assert made.kind == plain.kind
    assert len(made) == 9
