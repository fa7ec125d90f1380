"""From users' models to float graphs, one file per format."""
