"""One page that shows what a training or a study found; it reads, and computes nothing."""

from admet.report.write import offer_report, page_of, write_report

__all__ = ["offer_report", "page_of", "write_report"]
