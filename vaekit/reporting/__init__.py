"""Reports and pictures of results.

For use from outside: `reports` (sections, tables, figures), `pages` (pages of docs/), `plots`,
`pictures` (of a model) and `gallery` (commands that draw them). `tables`, `markdown` and `html`
are the parts of a report.
"""
