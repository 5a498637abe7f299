"""What is counted, in the text format of Prometheus."""

from collections import Counter
from collections.abc import Mapping

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How many observations lie below each of some bounds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * len(bounds)
        self.n = 0
        self.total = 0.0

    def add(self, value: float) -> None:
        """Counts one."""
        self.n += 1
        self.total += value
        for place, bound in enumerate(self.bounds):
            self.counts[place] += value <= bound

    def lines(self, name: str, labels: str = "") -> list[str]:
        """Gives its lines."""
        inner = f"{labels}," if labels else ""
        outer = f"{{{labels}}}" if labels else ""
        return [
            *(
                f'{name}_bucket{{{inner}le="{bound:g}"}} {count}'
                for bound, count in zip(self.bounds, self.counts, strict=True)
            ),
            f'{name}_bucket{{{inner}le="+Inf"}} {self.n}',
            f"{name}_sum{outer} {self.total:.6f}",
            f"{name}_count{outer} {self.n}",
        ]


class Metrics:
    """Counts of a server since it was started."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}
        self._batches = Histogram(_SIZES)
        self._files: Counter[str] = Counter()
        self._rows = 0

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answered request; `route` is one of the server's own, never what was sent."""
        self._requests[method, route, status] += 1
        self._seconds.setdefault(route, Histogram(_SECONDS)).add(seconds)

    def batch(self, n_molecules: int) -> None:
        """Counts a batch."""
        self._batches.add(n_molecules)

    def file(self, state: str, rows: int = 0) -> None:
        """Counts a file that reached a state."""
        self._files[state] += 1
        self._rows += rows

    def text(self, gauges: Mapping[str, float]) -> str:
        """Writes all of it.

        Args:
            gauges: Name → what it is now.
        """
        lines = ["# TYPE admet_requests_total counter"]
        lines += [
            f'admet_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(self._requests.items())
        ]
        lines.append("# TYPE admet_request_seconds histogram")
        for route, histogram in sorted(self._seconds.items()):
            lines += histogram.lines("admet_request_seconds", f'route="{route}"')
        lines.append("# TYPE admet_batch_molecules histogram")
        lines += self._batches.lines("admet_batch_molecules")
        lines.append("# TYPE admet_files_total counter")
        lines += [f'admet_files_total{{state="{s}"}} {n}' for s, n in sorted(self._files.items())]
        lines += ["# TYPE admet_file_rows_total counter", f"admet_file_rows_total {self._rows}"]
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"
