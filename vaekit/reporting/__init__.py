"""Reports and pictures of results.

For use from outside: `reports` (sections, tables, figures), `pages` (pages of docs/), `plots`,
`gallery` (pictures of a model) and `gallery_cli` (its commands). `tables`, `markdown` and `html`
are the parts of a report.
"""
