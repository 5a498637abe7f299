"""Pictures of a study: a file per picture, and one table that lists them.

A picture is two functions: one makes a table of the numbers behind it, the other draws that table.
"""

from admet.study.pictures.table import PICTURES, Picture, draw, write_pictures

__all__ = ["PICTURES", "Picture", "draw", "write_pictures"]
