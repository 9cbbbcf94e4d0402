"""What a part hands back: for every figure, by its key in `targets`, what each run measured."""

Samples = dict[str, list[float]]


def add(samples: Samples, figure: str, value: float) -> None:
    """Note a value of a figure."""
    samples.setdefault(figure, []).append(value)
