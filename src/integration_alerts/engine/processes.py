"""Whether a process on this very machine is still there; Linux only, elsewhere nobody is judged."""

from pathlib import Path


def place() -> str:
    """Where process numbers mean what they mean here: this boot and process namespace, or ""."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{boot} {namespace}"


def started(process_id: int) -> str:
    """When a process began, in ticks since boot; "" when there is none with this number.

    Together with the number it names one process: numbers are used again, this pair is not.
    """
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return ""
    # The name of the program, in brackets, may hold anything; the fields after it are numbers.
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]  # proc(5): (3) state, (22) starttime
