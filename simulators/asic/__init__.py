"""Heterogeneous ASICs of NVDLA-, ShiDianNao- and row-stationary-style units that run several neural networks together."""
