"""Systolic-array DNN accelerator: SCALE-Sim's numbers exactly, and a physical model with energy and area."""
