"""The tables, figures and theorems of the papers, measured."""
