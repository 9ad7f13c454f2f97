"""Marts: the dbt project and the solvers between its two calls."""
