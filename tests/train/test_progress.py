"""What is said of a training whose output is no terminal."""

from prismae.train.progress import Progress


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("step")]


def test_a_log_file_gets_ten_lines(capsys):
    with Progress(200, done=100) as bar:
        for step in range(101, 201):
            bar.update(step, {"recon": 3.14159, "monitor:mse": 1.0, "spread[0]": 2.0})
    said = lines(capsys.readouterr().out)
    assert said == [f"step {step} of 200  recon 3.142" for step in (120, 140, 160, 180, 200)]


def test_silent_unless_enabled(capsys):
    with Progress(2, enabled=False) as bar:
        bar.update(2, {"recon": 1.0})
    assert not capsys.readouterr().out
