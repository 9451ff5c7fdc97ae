"""Forecasts: how many, by series, and where, by grid cell; each scored against a naive one."""
