"""A tracker: a text file, to which a training is written as it goes on."""

from dataclasses import dataclass

from prismae.trackers import Tracker


@dataclass
class Notebook(Tracker):
    """Lines in the run's notebook.txt."""

    def begin(self, step):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write(f"{self.title} from step {step}: {dict(self.settings)}")

    def numbers(self, values, step):
        self.write(f"{step}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def picture(self, name, path, step):
        self.write(f"{step}: {name} is in {path}")

    def close(self):
        self.write("that is all for now")

    def write(self, line):
        with open(self.folder / "notebook.txt", "a", encoding="utf-8") as file:
            file.write(line + "\n")
