"""What a part hands back: for every figure, by its key in `targets`, what each run measured."""

import statistics

Samples = dict[str, list[float]]


def add(samples: Samples, figure: str, value: float) -> None:
    """Note a value of a figure."""
    samples.setdefault(figure, []).append(value)


def say(samples: Samples) -> None:
    """Print each figure's median, its 99th percentile and its largest value."""
    for what, values in samples.items():
        ordered = sorted(values)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        figures = (statistics.median(ordered), p99, ordered[-1])
        print(f"{what:64}" + "".join(f"{figure:12.2f}" for figure in figures), flush=True)
