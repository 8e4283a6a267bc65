"""Reports, pages, plots and grids of images."""
